-- Whose a node is is looked at once in a settlement, before accounts are locked: a node that is given to somebody else
-- while its receipts wait for those locks has earned for whom it belonged to when they came. Until now its new owner's
-- accounts were touched without having been locked in their order, so two settlements could wait for each other.
drop function settle_receipts(receipt_claim[]);
--> statement-breakpoint
-- Puts receipts that were verified, and that nobody settled before, into escrow; returns their items. One is paid the
-- least of its claim, the fair price and what its lease has left, from the hold or, where that was given back, from
-- what the payer has. Own nodes are free. p_nodes are the peers that served, as its caller found them before it locked
-- their accounts; it holds those and the leases.
create function settle_receipts(p_receipts receipt_claim[], p_nodes peers[]) returns int[] language plpgsql as $$
declare
  v_movements movement[];
  v_items int[];
begin
  with fresh as (
    select r.*, purse.user_id as payer, p.user_id as owner, l.network, l.model, l.released_at is null as is_open,
      l.budget - l.spent as remaining, purse.balance as purse,
      case when l.released_at is null then held.id else purse.id end as source, target.id as target,
      case when purse.user_id = coalesce(earner.merged_into, earner.id) then 0
        else least(r.claim, fair_cap(m.rate, r.prompt_tokens, r.completion_tokens)) end as worth
    from unnest(p_receipts) r
    join leases l on l.id = r.lease
    join unnest(p_nodes) p on p.id = r.node
    join users holder on holder.id = l.user_id
    join users earner on earner.id = p.user_id
    join accounts purse on purse.user_id = coalesce(holder.merged_into, holder.id) and purse.kind = 'available'
    join accounts held on held.user_id = l.user_id and held.kind = 'held'
    join accounts target on target.user_id = p.user_id and target.kind = 'escrow'
    left join model_rates m on m.network = l.network and m.model = l.model
    left join lateral (
      select true as known from receipts k
      where k.lease_id = r.lease and k.seq = r.seq and k.node_id = r.node limit 1) k on true
    where k.known is null
  ), within_budget as (
    select *, greatest(0, least(worth, remaining - sum(worth) over earlier + worth)) as bounded
    from fresh window earlier as (partition by lease order by item)
  ), paid as (
    select *, case when is_open then bounded else greatest(0,
      least(bounded, purse - sum(bounded) filter (where not is_open) over earlier + bounded)) end::bigint as amount
    from within_budget window earlier as (partition by payer order by item)
  ), written as (
    insert into receipts (lease_id, seq, node_id, owner_id, network, model, rate, engine, started_at, queue_ms, ttft_ms,
        engine_ms, prompt_tokens, completion_tokens, outcome, request_hash, response_hash, amount)
      select lease, seq, node, owner, network, model, rate, engine, to_timestamp(started_at_ms / 1000.0), queue_ms,
        ttft_ms, engine_ms, prompt_tokens, completion_tokens, outcome, request_hash, response_hash, amount from paid
  ), kept as (
    insert into escrows (lease_id, seq, node_id, owner_id, amount) select lease, seq, node, owner, amount from paid
  ), spent as (
    update leases l set spent = l.spent + s.total
      from (select lease, sum(amount)::bigint as total from paid group by lease having sum(amount) > 0) s
      where l.id = s.lease
  )
  select array_agg(item), array_agg(row(format('settlement:%s:%s:%s', lease, seq, node), 'settlement', lease,
      source, target, amount)::movement order by item)
    into v_items, v_movements from paid;
  perform move_credits(v_movements);
  return coalesce(v_items, '{}');
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
  v_nodes peers[];
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
  v_nodes := array(select p from peers p where p.id in (
    select r.node from unnest(v_receipts) r union select a.node from unnest(v_acks) a));
  v_owners := array(
    select p.user_id from unnest(v_nodes) p union
    select e.owner_id from unnest(v_acks) a cross join lateral (
      select * from escrows e where e.lease_id = a.lease and e.seq = a.seq and e.node_id = a.node limit 1) e);
  perform lock_accounts(v_owners || array(select l.user_id from leases l where l.id = any (v_leases)));
  perform release_due(v_owners, p_escrow_before, 1000);

  v_settled := settle_receipts(v_receipts, v_nodes);
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
