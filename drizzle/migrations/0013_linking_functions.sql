-- Users become part of others: a peer that is linked to a person brings what its own user had. Whose money lies where
-- does not change for what is held or in escrow; what is released of it goes to whoever the user is part of by then.
-- Locks, in one order everywhere: users, then leases by id, then that nobody becomes part of another, then accounts by id.

update users u set has_starter = exists (
  select from transfers t where t.idempotency_key = 'starter_grant:' || u.id);
--> statement-breakpoint
create or replace function lock_accounts(p_users text[]) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('merge', 0));
  -- `for update` would keep the entries of others from naming the account.
  perform 1 from accounts
    where user_id = any (p_users || array(
      select u.merged_into from users u where u.id = any (p_users) and u.merged_into is not null))
    order by id for no key update;
end $$;
--> statement-breakpoint
-- The account from which a user spends, and to which what it gets is released: of whoever it is part of, or its own.
create function purse_of(p_user text) returns bigint language sql stable as $$
  select a.id from users u join accounts a on a.user_id = coalesce(u.merged_into, u.id) and a.kind = 'available'
  where u.id = p_user
$$;
--> statement-breakpoint
create function mint() returns bigint language sql stable as $$
  select id from accounts where user_id is null and kind = 'mint'
$$;
--> statement-breakpoint
-- Starter credits, once for a user; its caller holds the user.
create function grant_starter(p_user text, p_amount bigint) returns void language plpgsql as $$
begin
  update users set has_starter = true where id = p_user and not has_starter;
  if found then
    perform lock_accounts(array[p_user]);
    perform move_credits(array[row('starter_grant:' || p_user, 'starter_grant', null,
      mint(), account_of(p_user, 'available'), p_amount)::movement]);
  end if;
end $$;
--> statement-breakpoint
create function open_accounts(p_user text) returns void language sql as $$
  insert into accounts (user_id, kind, balance)
    values (p_user, 'available', 0), (p_user, 'held', 0), (p_user, 'escrow', 0)
$$;
--> statement-breakpoint
-- Enrols a peer; a known peer keeps its user. A new user gets its accounts and, once, the starter credits.
create or replace function register_peer(p_peer text, p_key_x text, p_name text, p_new_user text, p_starter bigint)
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
  perform open_accounts(p_new_user);
  insert into peers (id, user_id, public_key_x, name) values (p_peer, p_new_user, p_key_x, p_name);
  perform grant_starter(p_new_user, p_starter);
  return p_new_user;
end $$;
--> statement-breakpoint
-- Makes a user without a person or a peer part of a person's; its caller holds both. Of starter credits that the person
-- had already, what is not spent goes back to the mint: at once, or when a lease gives it back.
create function merge_user(p_user text, p_into text) returns void language plpgsql as $$
declare
  v_user users;
  v_into users;
  v_available bigint;
  v_held bigint;
  v_unspent bigint := 0;
  v_back bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('merge', 0));
  perform lock_accounts(array[p_user, p_into]);
  select * into v_user from users where id = p_user;
  select * into v_into from users where id = p_into;
  select sum(balance) filter (where kind = 'available'), sum(balance) filter (where kind = 'held')
    into v_available, v_held from accounts where user_id = p_user;
  if v_user.has_starter and v_into.has_starter then
    select least(coalesce(sum(e.amount), 0), v_available + v_held) into v_unspent
      from transfers t join entries e on e.transfer_id = t.id and e.amount > 0
      where t.idempotency_key = 'starter_grant:' || p_user;
  end if;
  v_back := least(v_unspent, v_available);
  perform move_credits(array[
    row('starter_return:' || p_user, 'starter_return', null, account_of(p_user, 'available'), mint(), v_back)::movement,
    row('merge:' || p_user, 'merge', null, account_of(p_user, 'available'), account_of(p_into, 'available'),
      v_available - v_back)::movement]);
  update users set merged_into = p_into, starter_debt = v_unspent - v_back where id = p_user;
  update users set has_starter = true where id = p_into and v_user.has_starter;
  insert into memberships (network_id, user_id, role)
    select network_id, p_into, role from memberships where user_id = p_user
    on conflict (network_id, user_id) do update set role = excluded.role where excluded.role = 'owner';
  delete from memberships where user_id = p_user;
end $$;
--> statement-breakpoint
-- Gives a peer, new or known, to a person. outcome: linked | already_linked | user_unknown.
create function link_peer(p_peer text, p_key_x text, p_name text, p_user text, p_starter bigint)
returns text language plpgsql as $$
declare
  v_old users;
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select u.* into v_old from peers p join users u on u.id = p.user_id where p.id = p_peer;
  perform 1 from users where id in (p_user, v_old.id) order by id for no key update;
  if not exists (select from logins where user_id = p_user) then
    return 'user_unknown';
  end if;
  if v_old.id = p_user then
    return 'already_linked';
  end if;
  insert into peers (id, user_id, public_key_x, name) values (p_peer, p_user, p_key_x, p_name)
    on conflict (id) do update set user_id = excluded.user_id, name = coalesce(excluded.name, peers.name),
      last_used_at = now(), revoked_at = null;
  if v_old.merged_into is null and v_old.closed_at is null
    and not exists (select from logins where user_id = v_old.id)
    and not exists (select from peers where user_id = v_old.id)
    and v_old.id is not null
  then
    perform merge_user(v_old.id, p_user);
  end if;
  perform grant_starter(p_user, p_starter);
  return 'linked';
end $$;
--> statement-breakpoint
-- Signs a person's peer out: from now on it belongs to p_ghost, a user that only passes on to the person what the peer
-- has earned. False where the peer is not that person's.
create function revoke_peer(p_peer text, p_user text, p_ghost text) returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  perform 1 from users where id = p_user for no key update;
  if not exists (
    select from peers p join logins l on l.user_id = p.user_id where p.id = p_peer and p.user_id = p_user
  ) then
    return false;
  end if;
  insert into users (id, merged_into, has_starter) values (p_ghost, p_user, true);
  perform open_accounts(p_ghost);
  update peers set user_id = p_ghost, revoked_at = now() where id = p_peer;
  return true;
end $$;
--> statement-breakpoint
-- Refunds what open leases have left; its caller holds them and their users' accounts.
create or replace function refund_leases(p_ids uuid[]) returns void language plpgsql as $$
declare
  v_movements movement[];
begin
  with ended as (
    update leases set released_at = now() where id = any (p_ids) returning id, user_id, budget - spent as remaining
  ), owed as (
    select e.*, coalesce(u.merged_into, u.id) as root, greatest(0, least(e.remaining,
      u.starter_debt - sum(e.remaining) over earlier + e.remaining))::bigint as back
    from ended e join users u on u.id = e.user_id window earlier as (partition by e.user_id order by e.id)
  ), settled as (
    update users u set starter_debt = u.starter_debt - o.total
      from (select user_id, sum(back)::bigint as total from owed group by user_id having sum(back) > 0) o
      where u.id = o.user_id
  )
  select array_agg(move order by id) into v_movements from (
    select id, row('refund:' || id, 'refund', id, account_of(user_id, 'held'), account_of(root, 'available'),
      remaining - back)::movement as move from owed
    union all
    select id, row('starter_return:' || id, 'starter_return', id, account_of(user_id, 'held'), mint(),
      back)::movement from owed where back > 0
  ) moves;
  perform move_credits(v_movements);
end $$;
--> statement-breakpoint
-- Releases receipts that have been in these users' escrow since before p_before; its caller holds their accounts.
create or replace function release_due(p_owners text[], p_before timestamptz, p_limit int)
returns int language plpgsql as $$
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
    join users u on u.id = g.owner_id
    join accounts source on source.user_id = u.id and source.kind = 'escrow'
    join accounts target on target.user_id = coalesce(u.merged_into, u.id) and target.kind = 'available';
  perform move_credits(v_movements);
  return coalesce(cardinality(v_movements), 0);
end $$;
--> statement-breakpoint
-- Holds up to p_budget for a new lease. outcome: held | not_registered | peer_revoked | credits_exhausted | replayed.
create or replace function hold_credits(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint,
  p_expires timestamptz, p_release_before timestamptz, p_escrow_before timestamptz
) returns table (outcome text, user_id text, budget bigint, available bigint, held bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_peer peers;
  v_user text;
  v_available bigint;
  v_held bigint;
  v_budget bigint;
begin
  select * into v_peer from peers p where p.id = p_peer;
  if v_peer.id is null or v_peer.revoked_at is not null then
    return query select case when v_peer.id is null then 'not_registered' else 'peer_revoked' end,
      null::text, 0::bigint, 0::bigint, 0::bigint;
    return;
  end if;
  v_user := v_peer.user_id;
  perform release_leases(v_user, p_release_before, 50);
  perform lock_accounts(array[v_user]);
  perform release_due(array[v_user], p_escrow_before, 200);
  -- It may have become part of another until now.
  select coalesce(u.merged_into, u.id) into v_user from users u where u.id = v_user;
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
  if v_peer.last_used_at < now() - interval '1 hour' then
    update peers p set last_used_at = now() where p.id = p_peer;
  end if;
  return query select 'held', v_user, v_budget, v_available - v_budget, v_held + v_budget;
end $$;
--> statement-breakpoint
-- Adds up to p_add to an open lease, once for a key, and moves its end. outcome: extended | lease_not_found.
-- A lease that can't get more keeps its budget and still lives longer.
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
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null for no key update of l;
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
--> statement-breakpoint
-- Puts receipts that were verified, and that nobody settled before, into escrow; returns their items. One is paid the
-- least of its claim, the fair price and what its lease has left, from the hold or, where that was given back, from
-- what the payer has. Own nodes are free. Its caller holds leases and accounts.
create or replace function settle_receipts(p_receipts receipt_claim[]) returns int[] language plpgsql as $$
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
    join peers p on p.id = r.node
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
-- Judges receipts in escrow whose ack is there. One that agrees is released. Of one that doesn't the smaller is
-- released, the rest goes back to the payer: under the lease while that is open. Its caller holds leases and accounts.
create or replace function match_acks(p_receipts receipt_claim[], p_acks ack_claim[]) returns void language plpgsql as $$
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
    join users earner on earner.id = e.owner_id
    join users holder on holder.id = l.user_id
    join accounts source on source.user_id = earner.id and source.kind = 'escrow'
    join accounts owner on owner.user_id = coalesce(earner.merged_into, earner.id) and owner.kind = 'available'
    join accounts payer
      on payer.user_id = case when l.released_at is null then holder.id else coalesce(holder.merged_into, holder.id) end
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
-- A user's balances, after what is due has been moved, with what is still on its way from those that are part of it; no
-- row where the peer is not that user's.
create or replace function read_balance(
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
    from accounts a where a.user_id = p_user or a.user_id in (select u.id from users u where u.merged_into = p_user);
end $$;
