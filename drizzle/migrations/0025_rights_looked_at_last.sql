-- Rights are looked at behind the locks that a call had to wait for: who is signed out, given to another person or taken out
-- of a network meanwhile has them no more. A lease grows for whose peer it was taken only, and a code is over for good once
-- its peer was signed out, also where that was linked again since. Nobody who holds accounts waits for a peer, since whoever
-- links that peer may be waiting for the accounts.
ALTER TABLE "peers" ADD COLUMN "signed_out_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "peers_revoked" ON "peers" USING btree ("revoked_at") WHERE "peers"."revoked_at" is not null;
--> statement-breakpoint
update peers set signed_out_at = revoked_at where revoked_at is not null;
--> statement-breakpoint
-- Whether a peer still belongs to a user, or to whom that has become part of.
create function is_peer_of(p_peer text, p_user text) returns boolean language sql stable as $$
  select exists (
    select from peers p join users u on u.id = p_user
    where p.id = p_peer and p.revoked_at is null and p.user_id in (u.id, u.merged_into))
$$;
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
--> statement-breakpoint
-- As hold_credits, in any network the peer belongs to. Where a network takes no credits nothing is held: the lease's
-- budget is 0, so nothing can ever be paid under it. More outcomes: network_unknown | may_not_use | model_not_allowed.
create or replace function hold_in_network(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint, p_expires timestamptz,
  p_release_before timestamptz, p_escrow_before timestamptz)
returns table (outcome text, user_id text, budget bigint, available bigint, held bigint, credits boolean,
  own_nodes_first boolean) language plpgsql as $$
#variable_conflict use_column
declare
  v_terms record;
begin
  if p_network = 'public' then
    return query select h.*, true, false from hold_credits(
      p_lease, p_peer, p_network, p_model, p_budget, p_expires, p_release_before, p_escrow_before) h;
    return;
  end if;
  -- Before the terms are read: what is held on them waits for nothing any more.
  perform lock_accounts(array(select p.user_id from peers p where p.id = p_peer));
  select * into v_terms from network_terms(p_network, p_peer, p_model);
  if not found or v_terms.outcome <> 'welcome' then
    return query select coalesce(v_terms.outcome, 'network_unknown'), v_terms.user_id, 0::bigint, 0::bigint, 0::bigint,
      true, false;
    return;
  end if;
  if v_terms.credits then
    return query select h.*, true, v_terms.own_nodes_first from hold_credits(
      p_lease, p_peer, p_network, p_model, p_budget, p_expires, p_release_before, p_escrow_before) h;
    return;
  end if;
  insert into leases (id, user_id, peer_id, network, model, budget, expires_at)
    values (p_lease, v_terms.user_id, p_peer, p_network, p_model, 0, p_expires) on conflict (id) do nothing;
  return query select case when found then 'held' else 'replayed' end, v_terms.user_id, 0::bigint, 0::bigint, 0::bigint,
    false, v_terms.own_nodes_first;
end $$;
--> statement-breakpoint
-- Adds up to p_add to an open lease, once for a key, and moves its end, as long as the peer is its payer's.
-- outcome: extended | lease_not_found. A lease that can't get more keeps its budget and still lives longer. One that ended
-- ten minutes ago does not come back (a ticket lives for five): its nodes have forgotten what it spent there.
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
  select * into v_lease from leases l
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null
      and l.expires_at > p_expires - interval '15 minutes'
    for no key update;
  perform lock_accounts(array[v_lease.user_id]);
  if v_lease.id is null or not is_peer_of(p_peer, v_lease.user_id) then
    return query select 'lease_not_found', 0::bigint, 0::bigint;
    return;
  end if;
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
-- As extend_lease, as long as the peer might take a new lease on the same terms.
create or replace function extend_in_network(p_lease uuid, p_peer text, p_add bigint, p_expires timestamptz, p_key text)
returns table (outcome text, budget bigint, available bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_lease leases;
  v_terms record;
begin
  select * into v_lease from leases l
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null for no key update;
  if not found or v_lease.network = 'public' then
    return query select * from extend_lease(p_lease, p_peer, p_add, p_expires, p_key);
    return;
  end if;
  perform lock_accounts(array[v_lease.user_id]);
  select * into v_terms from network_terms(v_lease.network, p_peer, v_lease.model);
  -- A lease without a hold is one of a network that took no credits when it was given.
  if not found or v_terms.outcome <> 'welcome' or v_terms.credits <> (v_lease.budget > 0)
    or not is_peer_of(p_peer, v_lease.user_id)
  then
    return query select 'lease_not_found', 0::bigint, 0::bigint;
    return;
  end if;
  if v_terms.credits then
    return query select * from extend_lease(p_lease, p_peer, p_add, p_expires, p_key);
    return;
  end if;
  update leases l set expires_at = greatest(l.expires_at, p_expires) where l.id = p_lease;
  return query select 'extended', 0::bigint, 0::bigint;
end $$;
--> statement-breakpoint
-- Makes a network with the peer's user as its owner. outcome: created | not_registered | peer_revoked | name_taken | too_many.
-- A name is taken where the user itself belongs to a network of that name: of those of others nobody is told.
create or replace function create_network(p_id text, p_slug text, p_policy jsonb, p_peer text, p_most int)
returns text language plpgsql as $$
declare
  v_user text;
begin
  -- Nobody gives the peer to another user meanwhile.
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select u.id into v_user from peers p join users u on u.id = p.user_id where p.id = p_peer for no key update of u;
  if not found then
    return 'not_registered';
  end if;
  if exists (select from peers where id = p_peer and revoked_at is not null) then
    return 'peer_revoked';
  end if;
  if exists (select from memberships m join networks n on n.id = m.network_id
      where m.user_id = v_user and n.slug = p_slug) then
    return 'name_taken';
  end if;
  if (select count(*) from memberships where user_id = v_user) >= p_most then
    return 'too_many';
  end if;
  insert into networks (id, slug, policy, created_by) values (p_id, p_slug, p_policy, v_user);
  insert into memberships (network_id, user_id, role) values (p_id, v_user, 'owner');
  return 'created';
end $$;
--> statement-breakpoint
-- Makes the peer's user a member, by a code's hash. outcome: joined | already_in | not_registered | peer_revoked |
-- invite_invalid | too_many (networks of the user) | network_full. An invite is used up only by those who join.
create or replace function accept_invite(p_hash text, p_peer text, p_now timestamptz, p_most int, p_most_members int)
returns table (outcome text, user_id text, network_id text) language plpgsql as $$
#variable_conflict use_column
declare
  v_user text;
  v_network text;
  v_role text;
begin
  -- Nobody gives the peer to another user meanwhile.
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select i.network_id into v_network from invites i where i.code_hash = p_hash;
  perform 1 from networks n where n.id = v_network for no key update;
  select i.role into v_role from invites i
    where i.code_hash = p_hash and i.uses_left > 0 and i.expires_at > p_now for no key update;
  if not found then
    return query select 'invite_invalid', null::text, null::text;
    return;
  end if;
  select u.id into v_user from peers p join users u on u.id = p.user_id where p.id = p_peer for no key update of u;
  if not found then
    return query select 'not_registered', null::text, null::text;
  elsif exists (select from peers p where p.id = p_peer and p.revoked_at is not null) then
    return query select 'peer_revoked', null::text, null::text;
  elsif exists (select from memberships m where m.network_id = v_network and m.user_id = v_user) then
    return query select 'already_in', v_user, v_network;
  elsif (select count(*) from memberships m where m.user_id = v_user) >= p_most then
    return query select 'too_many', v_user, null::text;
  elsif (select count(*) from memberships m where m.network_id = v_network) >= p_most_members then
    return query select 'network_full', v_user, null::text;
  else
    update invites i set uses_left = i.uses_left - 1 where i.code_hash = p_hash;
    insert into memberships (network_id, user_id, role) values (v_network, v_user, v_role);
    return query select 'joined', v_user, v_network;
  end if;
end $$;
--> statement-breakpoint
-- Makes an invite where the peer's user owns the network, and forgets those that are over.
-- outcome: created | network_unknown | forbidden | too_many.
create function create_invite(p_id uuid, p_network text, p_peer text, p_hash text, p_role text, p_uses int,
  p_expires timestamptz, p_now timestamptz, p_most int)
returns table (outcome text, user_id text) language plpgsql as $$
#variable_conflict use_column
declare
  v_caller memberships;
begin
  perform 1 from networks n where n.id = p_network for no key update;
  select m.* into v_caller from peers p join memberships m on m.user_id = p.user_id
    where p.id = p_peer and m.network_id = p_network;
  if not found then
    return query select 'network_unknown', null::text;
  elsif v_caller.role <> 'owner' then
    return query select 'forbidden', v_caller.user_id;
  else
    delete from invites i where i.network_id = p_network and (i.uses_left = 0 or i.expires_at <= p_now);
    insert into invites (id, network_id, code_hash, role, uses_left, expires_at)
      select p_id, p_network, p_hash, p_role, p_uses, p_expires
      where (select count(*) from invites i where i.network_id = p_network) < p_most;
    return query select case when found then 'created' else 'too_many' end, v_caller.user_id;
  end if;
end $$;
--> statement-breakpoint
-- Changes what p_change names of a network's policy, where the peer's user owns it. Answers who that is, and what; no row
-- where it is no member.
create function change_policy(p_network text, p_peer text, p_change jsonb)
returns table (role text, user_id text) language plpgsql as $$
#variable_conflict use_column
declare
  v_caller memberships;
begin
  perform 1 from networks n where n.id = p_network for no key update;
  select m.* into v_caller from peers p join memberships m on m.user_id = p.user_id
    where p.id = p_peer and m.network_id = p_network;
  if not found then
    return;
  end if;
  update networks n set policy = n.policy || p_change where n.id = p_network and v_caller.role = 'owner';
  return query select v_caller.role, v_caller.user_id;
end $$;
--> statement-breakpoint
-- Gives a peer, new or known, to a person. outcome: linked | already_linked | user_unknown | code_over: it was
-- signed out since p_requested, when it asked.
create or replace function link_peer(p_peer text, p_key_x text, p_name text, p_user text, p_starter bigint,
  p_requested timestamptz default 'infinity')
returns text language plpgsql as $$
declare
  v_user text;
  v_old users;
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select user_id into v_user from peers where id = p_peer;
  -- Who leaves or changes these networks meanwhile, and who inherits them, waits or has been waited for.
  perform 1 from networks n join memberships m on m.network_id = n.id and m.user_id = v_user
    order by n.id for no key update of n;
  perform 1 from users where id in (p_user, v_user) order by id for no key update;
  select u.* into v_old from peers p join users u on u.id = p.user_id where p.id = p_peer;
  if not exists (select from logins where user_id = p_user) then
    return 'user_unknown';
  end if;
  if v_old.id = p_user then
    return 'already_linked';
  end if;
  if exists (select from peers where id = p_peer and signed_out_at >= p_requested) then
    return 'code_over';
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
-- has earned. Again changes nothing. False where the peer is not that person's.
create or replace function revoke_peer(p_peer text, p_user text, p_ghost text) returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  perform 1 from users where id = p_user for no key update;
  if exists (
    select from peers p join users u on u.id = p.user_id
    where p.id = p_peer and p.revoked_at is not null and u.merged_into = p_user
  ) then
    return true;
  end if;
  if not exists (
    select from peers p join logins l on l.user_id = p.user_id where p.id = p_peer and p.user_id = p_user
  ) then
    return false;
  end if;
  insert into users (id, merged_into, has_starter) values (p_ghost, p_user, true);
  perform open_accounts(p_ghost);
  update peers set user_id = p_ghost, revoked_at = clock_timestamp(), signed_out_at = clock_timestamp()
    where id = p_peer;
  return true;
end $$;
--> statement-breakpoint
-- A person leaves: email, password, sessions, the names of machines and memberships go; the machines are signed out. The
-- ledger keeps its rows, under an id that nobody's name stands behind any more. Answers the machines. Networks that came
-- while this waited are held out of the usual order: in that one case two may wait for each other, and one begins again.
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
