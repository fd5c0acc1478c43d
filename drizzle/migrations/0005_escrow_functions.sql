-- The movements of the ledger. Each is one statement for its caller. Locks are taken in one order everywhere: leases by
-- id, then accounts by id; so no two movements wait for each other. Whoever changes what lies in a user's escrow holds
-- that user's accounts.

drop function settle_receipts(jsonb);
--> statement-breakpoint
drop function hold_credits(uuid, text, text, text, bigint, timestamptz, timestamptz);
--> statement-breakpoint
drop function extend_lease(uuid, text, bigint, timestamptz, text);
--> statement-breakpoint
drop function void_lease(uuid);
--> statement-breakpoint
drop function release_leases(text, timestamptz, int);
--> statement-breakpoint
drop function give_back(leases);
--> statement-breakpoint
drop function register_peer(text, text, text, text, bigint);
--> statement-breakpoint
drop function move_credits(text, text, uuid, bigint, bigint, bigint);
--> statement-breakpoint
create type movement as (key text, type text, lease uuid, source bigint, target bigint, amount bigint);
--> statement-breakpoint
create type receipt_claim as (
  item int, lease uuid, seq int, node text, claim bigint, rate bigint, engine text, started_at_ms bigint, queue_ms int,
  ttft_ms int, engine_ms int, prompt_tokens int, completion_tokens int, outcome text, request_hash text,
  response_hash text
);
--> statement-breakpoint
create type ack_claim as (
  item int, lease uuid, seq int, node text, client text, wall_ms int, ttft_ms int, prompt_tokens int,
  completion_tokens int, outcome text, request_hash text, response_hash text
);
--> statement-breakpoint
-- `for update` would keep the entries of others from naming the account.
create or replace function lock_accounts(p_users text[]) returns void language plpgsql as $$
begin
  perform 1 from accounts where user_id = any (p_users) order by id for no key update;
end $$;
--> statement-breakpoint
-- Moves credits, in the order given; nothing where nothing is to be moved. A key that was used before is an error: its
-- caller, who holds the locks, has looked. The entries move the balances.
create function move_credits(p_movements movement[]) returns void language plpgsql as $$
begin
  with wanted as (
    select * from unnest(p_movements) with ordinality as w (key, type, lease, source, target, amount, place)
    where amount > 0
  ), moved as (
    insert into transfers (idempotency_key, type, lease_id) select key, type, lease from wanted order by place
    returning id, idempotency_key
  )
  insert into entries (transfer_id, account_id, amount)
    select m.id, leg.account, leg.amount from wanted w join moved m on m.idempotency_key = w.key
    cross join lateral (values (w.source, -w.amount), (w.target, w.amount)) as leg (account, amount);
end $$;
--> statement-breakpoint
-- Enrols a peer; a known peer keeps its user. A new user gets its accounts and, once, the starter credits.
create function register_peer(p_peer text, p_key_x text, p_name text, p_new_user text, p_starter bigint)
returns text language plpgsql as $$
declare
  v_user text;
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select user_id into v_user from peers where id = p_peer;
  if found then
    return v_user;
  end if;
  insert into users (id) values (p_new_user);
  insert into peers (id, user_id, public_key_x, name) values (p_peer, p_new_user, p_key_x, p_name);
  insert into accounts (user_id, kind, balance)
    values (p_new_user, 'available', 0), (p_new_user, 'held', 0), (p_new_user, 'escrow', 0);
  perform move_credits(array[row('starter_grant:' || p_new_user, 'starter_grant', null,
    (select id from accounts where user_id is null and kind = 'mint'), account_of(p_new_user, 'available'), p_starter)::movement]);
  return p_new_user;
end $$;
--> statement-breakpoint
-- Refunds what open leases have left; its caller holds them and their users' accounts.
create function refund_leases(p_ids uuid[]) returns void language plpgsql as $$
declare
  v_movements movement[];
begin
  with ended as (
    update leases set released_at = now() where id = any (p_ids) returning id, user_id, budget - spent as remaining
  )
  select array_agg(row('refund:' || id, 'refund', id, account_of(user_id, 'held'), account_of(user_id, 'available'),
    remaining)::movement order by id) into v_movements from ended;
  perform move_credits(v_movements);
end $$;
--> statement-breakpoint
-- Refunds leases that ended before p_before, of one user or of all; those being settled wait. Returns how many.
create function release_leases(p_user text, p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_ids uuid[];
begin
  select array_agg(id order by id) into v_ids from (
    select id from leases
    where released_at is null and expires_at < p_before and (p_user is null or user_id = p_user)
    order by id limit p_limit for no key update skip locked
  ) due;
  if v_ids is null then
    return 0;
  end if;
  perform lock_accounts(array(select distinct user_id from leases where id = any (v_ids)));
  perform refund_leases(v_ids);
  return cardinality(v_ids);
end $$;
--> statement-breakpoint
-- Ends a lease whose ticket was never handed out.
create function void_lease(p_lease uuid) returns void language plpgsql as $$
declare
  v_user text;
begin
  select user_id into v_user from leases where id = p_lease and released_at is null for no key update;
  if found then
    perform lock_accounts(array[v_user]);
    perform refund_leases(array[p_lease]);
  end if;
end $$;
--> statement-breakpoint
-- Releases receipts that have been in these users' escrow since before p_before; its caller holds their accounts.
create function release_due(p_owners text[], p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_movements movement[];
begin
  with gone as (
    delete from escrows where ctid = any (array(
      select ctid from escrows where owner_id = any (p_owners) and since < p_before order by since limit p_limit))
    returning *
  )
  select array_agg(row(format('release:%s:%s:%s', g.lease_id, g.seq, g.node_id), 'release', g.lease_id,
    source.id, target.id, g.amount)::movement order by g.since, g.lease_id, g.seq)
    into v_movements
    from gone g
    join accounts source on source.user_id = g.owner_id and source.kind = 'escrow'
    join accounts target on target.user_id = g.owner_id and target.kind = 'available';
  perform move_credits(v_movements);
  return coalesce(cardinality(v_movements), 0);
end $$;
--> statement-breakpoint
-- The same, of one user or of all, up to p_limit receipts.
create function release_escrow(p_owner text, p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_owners text[];
begin
  select array_agg(distinct owner_id) into v_owners from (
    select owner_id from escrows where since < p_before and (p_owner is null or owner_id = p_owner)
    order by since limit p_limit
  ) due;
  if v_owners is null then
    return 0;
  end if;
  perform lock_accounts(v_owners);
  return release_due(v_owners, p_before, p_limit);
end $$;
--> statement-breakpoint
-- Holds up to p_budget for a new lease. outcome: held | not_registered | credits_exhausted | replayed.
create function hold_credits(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint,
  p_expires timestamptz, p_release_before timestamptz, p_escrow_before timestamptz
) returns table (outcome text, user_id text, budget bigint, available bigint, held bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_user text;
  v_available bigint;
  v_held bigint;
  v_budget bigint;
begin
  select p.user_id into v_user from peers p where p.id = p_peer;
  if not found then
    return query select 'not_registered', null::text, 0::bigint, 0::bigint, 0::bigint;
    return;
  end if;
  perform release_leases(v_user, p_release_before, 50);
  perform lock_accounts(array[v_user]);
  perform release_due(array[v_user], p_escrow_before, 200);
  select sum(a.balance) filter (where a.kind = 'available'), sum(a.balance) filter (where a.kind = 'held')
    into v_available, v_held from accounts a where a.user_id = v_user;
  v_budget := least(v_available, p_budget);
  if v_budget <= 0 then
    return query select 'credits_exhausted', v_user, 0::bigint, v_available, v_held;
    return;
  end if;
  insert into leases (id, user_id, peer_id, network, model, budget, expires_at)
    values (p_lease, v_user, p_peer, p_network, p_model, v_budget, p_expires) on conflict (id) do nothing;
  if not found then
    return query select 'replayed', v_user, 0::bigint, v_available, v_held;
    return;
  end if;
  perform move_credits(array[row('hold:' || p_lease, 'hold', p_lease,
    account_of(v_user, 'available'), account_of(v_user, 'held'), v_budget)::movement]);
  return query select 'held', v_user, v_budget, v_available - v_budget, v_held + v_budget;
end $$;
--> statement-breakpoint
-- Adds up to p_add to an open lease, once for a key, and moves its end. outcome: extended | lease_not_found.
-- A lease that can't get more keeps its budget and still lives longer.
create function extend_lease(p_lease uuid, p_peer text, p_add bigint, p_expires timestamptz, p_key text)
returns table (outcome text, budget bigint, available bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_lease leases;
  v_available bigint;
  v_added bigint;
  v_key text := format('extension:%s:%s', p_lease, p_key);
begin
  select * into v_lease from leases l
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null for no key update;
  if not found then
    return query select 'lease_not_found', 0::bigint, 0::bigint;
    return;
  end if;
  perform lock_accounts(array[v_lease.user_id]);
  select a.balance into v_available from accounts a where a.user_id = v_lease.user_id and a.kind = 'available';
  v_added := case when exists (select from transfers t where t.idempotency_key = v_key) then 0
                  else least(v_available, p_add) end;
  perform move_credits(array[row(v_key, 'extension', p_lease,
    account_of(v_lease.user_id, 'available'), account_of(v_lease.user_id, 'held'), v_added)::movement]);
  update leases l set budget = l.budget + v_added, expires_at = greatest(l.expires_at, p_expires)
    where l.id = p_lease;
  return query select 'extended', v_lease.budget + v_added, v_available - v_added;
end $$;
--> statement-breakpoint
-- The most that tokens are worth at a model's usual rate: one and a half times that, null where either is unknown.
-- A prompt token counts for a tenth: docs/decisions/0010-fair-price-and-escrow.md.
create function fair_cap(p_rate bigint, p_prompt int, p_completion int) returns bigint language sql immutable as $$
  select case when p_prompt is null and p_completion is null then null
    else floor(p_rate::numeric * (coalesce(p_completion, 0)::numeric * 10 + coalesce(p_prompt, 0)) * 3 / 20000)::bigint
  end
$$;
--> statement-breakpoint
-- Credits for time, rounded down; chargeFor in protocol/ is the same.
create function charge_for(p_ms int, p_rate bigint) returns bigint language sql immutable as $$
  select floor(p_ms::numeric * p_rate / 1000)::bigint
$$;
--> statement-breakpoint
-- In what a receipt and an ack contradict each other, with room for what honest clocks and counters differ by.
create function contradictions(p_receipt receipts, p_ack acks) returns text[] language sql immutable as $$
  select array_remove(array[
    case when p_receipt.engine_ms * 100::bigint > p_ack.wall_ms * 102::bigint + 50000 then 'time' end,
    case when p_receipt.completion_tokens * 100::bigint > p_ack.completion_tokens * 105::bigint + 1600
      then 'tokens' end,
    case when p_receipt.request_hash <> p_ack.request_hash then 'request' end,
    case when p_receipt.outcome = 'completed' and p_ack.outcome = 'completed'
      and p_receipt.response_hash <> p_ack.response_hash then 'response' end
  ], null)
$$;
--> statement-breakpoint
-- Puts receipts that were verified, and that nobody settled before, into escrow; returns their items. One is paid the
-- least of its claim, the fair price and what its lease has left, from the hold or, where that was given back, from
-- what the payer has. Own nodes are free. Its caller holds leases and accounts.
create function settle_receipts(p_receipts receipt_claim[]) returns int[] language plpgsql as $$
declare
  v_movements movement[];
  v_items int[];
begin
  with fresh as (
    select r.*, l.user_id as payer, p.user_id as owner, l.network, l.model, l.released_at is null as is_open,
      l.budget - l.spent as remaining, purse.balance as purse,
      case when l.released_at is null then held.id else purse.id end as source, target.id as target,
      case when l.user_id = p.user_id then 0
        else least(r.claim, fair_cap(m.rate, r.prompt_tokens, r.completion_tokens)) end as worth
    from unnest(p_receipts) r
    join leases l on l.id = r.lease
    join peers p on p.id = r.node
    join accounts purse on purse.user_id = l.user_id and purse.kind = 'available'
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
-- Judges receipts in escrow whose ack is there. One that agrees is released. Of one that doesn't the smaller is
-- released, the rest goes back to the payer: under the lease while that is open. Its caller holds leases and accounts.
create function match_acks(p_receipts receipt_claim[], p_acks ack_claim[]) returns void language plpgsql as $$
declare
  v_movements movement[];
begin
  with judged as (
    select e.*, source.id as source, payer.id as payer, owner.id as owner, m.rate as fair_rate, (r.said).rate,
      least((r.said).engine_ms, (a.saw).wall_ms) as agreed_ms, (r.said).prompt_tokens, (a.saw).completion_tokens,
      contradictions(r.said, a.saw) as reasons
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
    join accounts source on source.user_id = e.owner_id and source.kind = 'escrow'
    join accounts owner on owner.user_id = e.owner_id and owner.kind = 'available'
    join accounts payer on payer.user_id = l.user_id
      and payer.kind = case when l.released_at is null then 'held' else 'available' end
    left join model_rates m on m.network = l.network and m.model = l.model
  ), ruled as (
    select *, case when cardinality(reasons) = 0 then amount else least(amount, charge_for(agreed_ms, rate),
      case when 'tokens' = any (reasons) then fair_cap(fair_rate, prompt_tokens, completion_tokens) end) end as settled
    from judged
  ), gone as (
    delete from escrows where ctid = any (array(select place from ruled))
  ), recorded as (
    insert into disputes (lease_id, seq, node_id, reasons, escrowed, settled)
      select lease_id, seq, node_id, reasons, amount, settled from ruled where cardinality(reasons) > 0
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
create function settle_batch(p_receipts jsonb, p_acks jsonb, p_escrow_before timestamptz)
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
        when i.item = any (v_kept) and d.lease_id is null then 'matched'
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
-- Forgets acks older than p_before whose receipt never came; none that is part of anything else.
create function sweep_acks(p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_swept int;
begin
  delete from acks a using (
    select k.lease_id, k.seq, k.node_id from acks k
    where k.acked_at < p_before and k.acked_at > p_before - interval '7 days'
      and not exists (
        select from receipts r where r.lease_id = k.lease_id and r.seq = k.seq and r.node_id = k.node_id)
    limit p_limit
  ) old
  where a.lease_id = old.lease_id and a.seq = old.seq and a.node_id = old.node_id;
  get diagnostics v_swept = row_count;
  return v_swept;
end $$;
--> statement-breakpoint
create function refuse_settled_ack() returns trigger language plpgsql as $$
begin
  if exists (
    select from receipts r where r.lease_id = old.lease_id and r.seq = old.seq and r.node_id = old.node_id
  ) then
    raise exception 'an ack stays with its receipt' using errcode = 'restrict_violation';
  end if;
  return old;
end $$;
--> statement-breakpoint
create trigger acks_stay before delete on acks for each row execute function refuse_settled_ack();
--> statement-breakpoint
-- A user's balances, after what is due has been moved; no row where the peer is not that user's.
create function read_balance(
  p_user text, p_peer text, p_release_before timestamptz, p_escrow_before timestamptz
) returns table (available bigint, held bigint, in_escrow bigint) language plpgsql as $$
#variable_conflict use_column
begin
  if not exists (select from peers p where p.id = p_peer and p.user_id = p_user) then
    return;
  end if;
  perform release_leases(p_user, p_release_before, 200);
  perform release_escrow(p_user, p_escrow_before, 1000);
  return query select
    (sum(a.balance) filter (where a.kind = 'available'))::bigint,
    (sum(a.balance) filter (where a.kind = 'held'))::bigint,
    (sum(a.balance) filter (where a.kind = 'escrow'))::bigint
    from accounts a where a.user_id = p_user;
end $$;
