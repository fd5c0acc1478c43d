-- What liars could get out of the ledger until now.

-- The most that tokens are worth at a model's usual rate: one and a half times that, null where either is unknown. Any
-- token is worth something: what is paid nothing would teach nothing, and a price that was driven down would stay there.
create or replace function fair_cap(p_rate bigint, p_prompt int, p_completion int)
returns bigint language sql immutable as $$
  select case when p_rate is null or (p_prompt is null and p_completion is null) then null
    when coalesce(p_prompt, 0) + coalesce(p_completion, 0) = 0 then 0
    else least(9000000000000000, greatest(1, floor(
      p_rate::numeric * (coalesce(p_completion, 0)::numeric * 10 + coalesce(p_prompt, 0)) * 3 / 20000)))::bigint
  end
$$;
--> statement-breakpoint
-- What a model usually costs: docs/decisions/0010-fair-price-and-escrow.md. By the time that receipts tell, not by what they
-- were paid, which is bounded by the price before.
create or replace function learn_rate(p_network text, p_model text, out rate bigint, out samples int) language sql stable as $$
  with latest as (
    select r.owner_id, r.settled_at, charge_for(r.engine_ms, r.rate)::numeric * 10000
        / (coalesce(r.completion_tokens, 0)::numeric * 10 + coalesce(r.prompt_tokens, 0)) as price
    from receipts r
    where r.network = p_network and r.model = p_model and r.outcome = 'completed' and r.amount > 0
      and r.settled_at > now() - interval '14 days'
      and coalesce(r.completion_tokens, 0) + coalesce(r.prompt_tokens, 0) > 0
      and not exists (
        select from disputes d where d.lease_id = r.lease_id and d.seq = r.seq and d.node_id = r.node_id
          and cardinality(d.reasons) > 0)
    order by r.settled_at desc limit 20000
  ), fair_shares as (
    select price, settled_at, row_number() over (partition by owner_id order by settled_at desc) as place from latest
  ), sample as (
    select price from fair_shares where place <= 100 order by settled_at desc limit 1000
  )
  select case when count(*) >= 20 then greatest(1, round(percentile_disc(0.5) within group (order by price)))::bigint end, count(*)::int
    from sample
$$;
--> statement-breakpoint
-- In what a receipt and an ack contradict each other, with room for what honest clocks and counters differ by.
create or replace function contradictions(p_receipt receipts, p_ack acks) returns text[] language sql immutable as $$
  select array_remove(array[
    case when p_receipt.engine_ms * 100::bigint > p_ack.wall_ms * 102::bigint + 50000 then 'time' end,
    case when p_receipt.completion_tokens * 100::bigint > p_ack.completion_tokens * 105::bigint + 1600
      or p_receipt.prompt_tokens * 100::bigint > p_ack.prompt_tokens * 105::bigint + 1600 then 'tokens' end,
    case when p_receipt.request_hash <> p_ack.request_hash then 'request' end,
    case when p_receipt.outcome = 'completed' and p_ack.outcome = 'completed'
      and p_receipt.response_hash <> p_ack.response_hash then 'response' end
  ], null)
$$;
--> statement-breakpoint
-- Judges receipts in escrow whose ack is there. What both agree on is released, the smaller of two times also where they
-- don't contradict each other; the rest goes back to the payer: under the lease while that is open. A receipt that tells
-- no tokens of an answer whose tokens the client read has their price. Its caller holds leases and accounts.
create or replace function match_acks(p_receipts receipt_claim[], p_acks ack_claim[]) returns void language plpgsql as $$
declare
  v_movements movement[];
begin
  with judged as (
    select e.*, source.id as source, payer.id as payer, owner.id as owner, (r.said).rate,
      least((r.said).engine_ms, (a.saw).wall_ms) as agreed_ms, told.cap as told_cap,
      contradictions(r.said, a.saw) || case
        when (r.said).prompt_tokens is null and (r.said).completion_tokens is null
          and (r.said).outcome = 'completed' and (a.saw).outcome = 'completed' and e.amount > told.cap
        then array['untold'] else '{}' end as reasons
    from (
      select r.lease, r.seq, r.node from unnest(p_receipts) r union
      select a.lease, a.seq, a.node from unnest(p_acks) a
    ) touched
    -- Each by its key, whatever the planner believes of tables that grow by the minute.
    cross join lateral (
      select k as saw from acks k
      where k.lease_id = touched.lease and k.seq = touched.seq and k.node_id = touched.node limit 1) a
    cross join lateral (
      select k.ctid as place, k.* from escrows k
      where k.lease_id = touched.lease and k.seq = touched.seq and k.node_id = touched.node limit 1) e
    cross join lateral (
      select k as said from receipts k
      where k.lease_id = touched.lease and k.seq = touched.seq and k.node_id = touched.node limit 1) r
    join leases l on l.id = e.lease_id
    join users earner on earner.id = e.owner_id
    join users holder on holder.id = l.user_id
    join accounts source on source.user_id = earner.id and source.kind = 'escrow'
    join accounts owner on owner.user_id = coalesce(earner.merged_into, earner.id) and owner.kind = 'available'
    join accounts payer
      on payer.user_id = case when l.released_at is null then holder.id else coalesce(holder.merged_into, holder.id) end
      and payer.kind = case when l.released_at is null then 'held' else 'available' end
    left join model_rates m on m.network = l.network and m.model = l.model
    cross join lateral (select fair_cap(m.rate, least((r.said).prompt_tokens, (a.saw).prompt_tokens),
      least((r.said).completion_tokens, (a.saw).completion_tokens)) as cap) told
  ), ruled as (
    select *, least(amount, charge_for(agreed_ms, rate),
      case when reasons && array['tokens', 'untold'] then told_cap end) as settled
    from judged
  ), gone as (
    delete from escrows where ctid = any (array(select place from ruled))
  ), recorded as (
    insert into disputes (lease_id, seq, node_id, reasons, escrowed, settled)
      select lease_id, seq, node_id, reasons, amount, settled from ruled
      where cardinality(reasons) > 0 or settled < amount
  ), lowered as (
    update leases l set spent = l.spent - s.total
      from (
        select lease_id, sum(amount - settled)::bigint as total from ruled
        group by lease_id having sum(amount - settled) > 0
      ) s
      where l.id = s.lease_id
  )
  select array_agg(move order by lease_id, seq, node_id) into v_movements from (
    select lease_id, seq, node_id, row(format('dispute:%s:%s:%s', lease_id, seq, node_id), 'dispute', lease_id,
      source, payer, amount - settled)::movement as move from ruled where settled < amount
    union all
    select lease_id, seq, node_id, row(format('release:%s:%s:%s', lease_id, seq, node_id), 'release', lease_id,
      source, owner, settled)::movement from ruled
  ) moves;
  perform move_credits(v_movements);
end $$;
--> statement-breakpoint
-- Settles verified receipts and acks, each once, in one go: one row an item.
-- status of a receipt: settled | already_settled | lease_unknown;
-- of an ack: matched | disputed | kept | already_acked | too_late | lease_unknown.
create or replace function settle_batch(p_receipts jsonb, p_acks jsonb, p_escrow_before timestamptz)
returns table (item int, status text, amount bigint) language plpgsql as $$
declare
  v_receipts receipt_claim[]; -- Of several with one key, the first.
  v_acks ack_claim[];
  v_leases uuid[];
  v_nodes text[];
  v_owners text[];
  v_settled int[];
  v_kept int[];
begin
  -- A lease that comes to be after this moment is unknown: what is not locked here is not locked behind accounts.
  select array_agg(l.id) into v_leases from (
    select id from leases
    where id in (
      select r.lease from jsonb_populate_recordset(null::receipt_claim, p_receipts) r union
      select a.lease from jsonb_populate_recordset(null::ack_claim, p_acks) a)
    order by id for no key update) l;
  v_receipts := array(select first from (
    select distinct on (r.lease, r.seq, r.node) r as first
    from jsonb_populate_recordset(null::receipt_claim, p_receipts) r where r.lease = any (v_leases)
    order by r.lease, r.seq, r.node, r.item) d);
  v_acks := array(select first from (
    select distinct on (a.lease, a.seq, a.node, a.client) a as first
    from jsonb_populate_recordset(null::ack_claim, p_acks) a where a.lease = any (v_leases)
    order by a.lease, a.seq, a.node, a.client, a.item) d);
  v_nodes := array(select r.node from unnest(v_receipts) r union select a.node from unnest(v_acks) a);
  v_owners := array(
    select p.user_id from peers p where p.id = any (v_nodes) union
    select e.owner_id from unnest(v_acks) a cross join lateral (
      select * from escrows e where e.lease_id = a.lease and e.seq = a.seq and e.node_id = a.node limit 1) e);
  perform lock_accounts(v_owners || array(select l.user_id from leases l where l.id = any (v_leases)));
  perform release_due(v_owners, p_escrow_before, 1000);

  v_settled := settle_receipts(v_receipts);
  -- An ack counts where its client has the lease, once, and until its receipt was paid without it.
  with kept as (
    insert into acks (lease_id, seq, node_id, peer_id, wall_ms, ttft_ms, prompt_tokens, completion_tokens, outcome,
        request_hash, response_hash)
      select a.lease, a.seq, a.node, a.client, a.wall_ms, a.ttft_ms, a.prompt_tokens, a.completion_tokens, a.outcome,
        a.request_hash, a.response_hash
      from unnest(v_acks) a
      join leases l on l.id = a.lease and l.peer_id = a.client
      join peers p on p.id = a.node
      left join lateral (
        select true as known from receipts r
        where r.lease_id = a.lease and r.seq = a.seq and r.node_id = a.node limit 1) r on true
      left join lateral (
        select true as known from escrows e
        where e.lease_id = a.lease and e.seq = a.seq and e.node_id = a.node limit 1) e on true
      where r.known is null or e.known
      on conflict do nothing
      returning lease_id, seq, node_id, peer_id
  )
  select array_agg(a.item) into v_kept from kept k join unnest(v_acks) a
    on a.lease = k.lease_id and a.seq = k.seq and a.node = k.node_id and a.client = k.peer_id;
  perform match_acks(v_receipts, v_acks);

  return query
    select i.item, case when k.lease_id is null then 'lease_unknown'
        when i.item = any (v_settled) then 'settled' else 'already_settled' end,
      coalesce(d.settled, k.amount, 0)
    from jsonb_populate_recordset(null::receipt_claim, p_receipts) i
    left join lateral (
      select * from receipts k where k.lease_id = i.lease and k.seq = i.seq and k.node_id = i.node limit 1) k on true
    left join lateral (
      select * from disputes d where d.lease_id = i.lease and d.seq = i.seq and d.node_id = i.node limit 1) d on true
    union all
    select i.item, case
        when i.item = any (v_kept) and r.lease_id is null then 'kept'
        when i.item = any (v_kept) and coalesce(cardinality(d.reasons), 0) = 0 then 'matched'
        when i.item = any (v_kept) then 'disputed'
        when k.lease_id is not null then 'already_acked'
        when r.lease_id is not null and l.id is not null then 'too_late'
        else 'lease_unknown' end,
      coalesce(d.settled, r.amount, 0)
    from jsonb_populate_recordset(null::ack_claim, p_acks) i
    left join leases l on l.id = i.lease and l.peer_id = i.client
    left join lateral (
      select * from acks k
      where k.lease_id = i.lease and k.seq = i.seq and k.node_id = i.node and k.peer_id = i.client limit 1) k on true
    left join lateral (
      select * from receipts r where r.lease_id = i.lease and r.seq = i.seq and r.node_id = i.node limit 1) r on true
    left join lateral (
      select * from disputes d where d.lease_id = i.lease and d.seq = i.seq and d.node_id = i.node limit 1) d on true;
end $$;
--> statement-breakpoint
-- Adds up to p_add to an open lease, once for a key, and moves its end. outcome: extended | lease_not_found.
-- A lease that can't get more keeps its budget and still lives longer. One that ended ten minutes ago does not come back
-- (a ticket lives for five): its nodes have forgotten what it spent there.
create or replace function extend_lease(p_lease uuid, p_peer text, p_add bigint, p_expires timestamptz, p_key text)
returns table (outcome text, budget bigint, available bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_lease leases;
  v_purse bigint;
  v_available bigint;
  v_added bigint;
  v_key text := format('extension:%s:%s', p_lease, p_key);
begin
  select l.* into v_lease from leases l join peers p on p.id = l.peer_id and p.revoked_at is null
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null
      and l.expires_at > p_expires - interval '15 minutes'
    for no key update of l;
  if not found then
    return query select 'lease_not_found', 0::bigint, 0::bigint;
    return;
  end if;
  perform lock_accounts(array[v_lease.user_id]);
  v_purse := purse_of(v_lease.user_id);
  select a.balance into v_available from accounts a where a.id = v_purse;
  v_added := case when exists (select from transfers t where t.idempotency_key = v_key) then 0
                  else least(v_available, p_add) end;
  perform move_credits(array[row(v_key, 'extension', p_lease,
    v_purse, account_of(v_lease.user_id, 'held'), v_added)::movement]);
  update leases l set budget = l.budget + v_added, expires_at = greatest(l.expires_at, p_expires)
    where l.id = p_lease;
  return query select 'extended', v_lease.budget + v_added, v_available - v_added;
end $$;
