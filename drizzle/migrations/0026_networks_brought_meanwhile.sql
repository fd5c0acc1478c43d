-- Who leaves also holds the networks that the account was brought while it waited for them: else one of them could be left
-- without anybody where its last member left at that moment. Out of the usual order, so that in this one case two may wait for
-- each other and one begins again.

-- A person leaves: email, password, sessions, the names of machines and memberships go; the machines are signed out. The
-- ledger keeps its rows, under an id that nobody's name stands behind any more. Answers the machines.
create or replace function close_person(p_user text, p_ghost text) returns table (peer_id text) language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from networks n join memberships m on m.network_id = n.id and m.user_id = p_user
    order by n.id for update of n;
  perform 1 from users where id = p_user for no key update;
  -- Those, too, that came while this waited: by a machine that was linked, an invite, or new ones.
  perform 1 from networks n join memberships m on m.network_id = n.id and m.user_id = p_user
    order by n.id for update of n;
  delete from logins where user_id = p_user;
  if not found then
    return;
  end if;
  -- A network stays with who is in it: where no owner is left, the one who has been in it longest is the next.
  with gone as (
    delete from memberships m where m.user_id = p_user returning m.network_id
  ), heirs as (
    select distinct on (m.network_id) m.network_id, m.user_id from memberships m
    where m.network_id in (select network_id from gone) and m.user_id <> p_user
      and not exists (
        select from memberships o
        where o.network_id = m.network_id and o.role = 'owner' and o.user_id <> p_user)
    order by m.network_id, m.joined_at, m.user_id
  ), deserted as (
    delete from networks n where n.id in (select network_id from gone)
      and not exists (select from memberships m where m.network_id = n.id and m.user_id <> p_user)
  )
  update memberships m set role = 'owner' from heirs h
    where m.network_id = h.network_id and m.user_id = h.user_id;
  insert into users (id, merged_into, has_starter) values (p_ghost, p_user, true);
  perform open_accounts(p_ghost);
  update users set closed_at = now() where id = p_user;
  return query update peers p set user_id = p_ghost, name = null, revoked_at = coalesce(p.revoked_at, clock_timestamp()),
      signed_out_at = case when p.revoked_at is null then clock_timestamp() else p.signed_out_at end
    where p.user_id = p_user or p.user_id in (select u.id from users u where u.merged_into = p_user)
    returning p.id;
end $$;
--> statement-breakpoint
-- Holds up to p_budget for a new lease. outcome: held | not_registered | peer_revoked | credits_exhausted | replayed. A peer
-- that was given to another person while this waited has to register again: to lock that one's accounts behind the others
-- would be out of their order.
create or replace function hold_credits(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint, p_expires timestamptz,
  p_release_before timestamptz, p_escrow_before timestamptz)
returns table (outcome text, user_id text, budget bigint, available bigint, held bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_peer peers;
  v_locked text;
  v_user text;
  v_available bigint;
  v_held bigint;
  v_budget bigint;
begin
  select * into v_peer from peers p where p.id = p_peer;
  if v_peer.id is not null and v_peer.revoked_at is null then
    v_locked := v_peer.user_id;
    perform release_leases(v_locked, p_release_before, 50);
    perform lock_accounts(array[v_locked]);
    perform release_due(array[v_locked], p_escrow_before, 200);
    -- Until now it may have become part of another one, and the peer may have been signed out or given to somebody else,
    -- whose accounts are not locked.
    select coalesce(u.merged_into, u.id) into v_user from users u where u.id = v_locked;
    select * into v_peer from peers p where p.id = p_peer;
  end if;
  if v_peer.revoked_at is not null then
    return query select 'peer_revoked', null::text, 0::bigint, 0::bigint, 0::bigint;
    return;
  elsif v_peer.id is null or v_peer.user_id not in (v_locked, v_user) then
    return query select 'not_registered', null::text, 0::bigint, 0::bigint, 0::bigint;
    return;
  end if;
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
    update peers p set last_used_at = now()
      where p.id in (select k.id from peers k where k.id = p_peer for no key update skip locked);
  end if;
  return query select 'held', v_user, v_budget, v_available - v_budget, v_held + v_budget;
end $$;
