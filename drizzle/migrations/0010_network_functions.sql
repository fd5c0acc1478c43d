-- Private networks. Locks are taken in one order everywhere: networks, invites, users; those of the ledger come after.

-- On what terms a peer may use a model in a private network. outcome: welcome | may_not_use | model_not_allowed; no row
-- where the network is not there or is not the peer's, so that nobody outside can tell one from the other.
create function network_terms(p_network text, p_peer text, p_model text)
returns table (outcome text, user_id text, credits boolean, own_nodes_first boolean) language sql stable as $$
  select case
      when m.role = 'serve-only' then 'may_not_use'
      when n.policy->'allowed_models' <> '[]' and not n.policy->'allowed_models' @> to_jsonb(p_model)
        then 'model_not_allowed'
      else 'welcome' end,
    m.user_id, (n.policy->>'credits')::boolean, (n.policy->>'own_nodes_first')::boolean
  from peers p
  join memberships m on m.user_id = p.user_id
  join networks n on n.id = m.network_id
  where p.id = p_peer and n.id = p_network
$$;
--> statement-breakpoint
-- As hold_credits, in any network the peer belongs to. Where a network takes no credits nothing is held: the lease's
-- budget is 0, so nothing can ever be paid under it. More outcomes: network_unknown | may_not_use | model_not_allowed.
create function hold_in_network(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint,
  p_expires timestamptz, p_release_before timestamptz, p_escrow_before timestamptz
) returns table (
  outcome text, user_id text, budget bigint, available bigint, held bigint, credits boolean, own_nodes_first boolean
) language plpgsql as $$
#variable_conflict use_column
declare
  v_terms record;
begin
  if p_network = 'public' then
    return query select h.*, true, false from hold_credits(
      p_lease, p_peer, p_network, p_model, p_budget, p_expires, p_release_before, p_escrow_before) h;
    return;
  end if;
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
-- As extend_lease, as long as the peer might take a new lease on the same terms.
create function extend_in_network(p_lease uuid, p_peer text, p_add bigint, p_expires timestamptz, p_key text)
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
  select * into v_terms from network_terms(v_lease.network, p_peer, v_lease.model);
  -- A lease without a hold is one of a network that took no credits when it was given.
  if not found or v_terms.outcome <> 'welcome' or v_terms.credits <> (v_lease.budget > 0) then
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
-- Makes a network with the peer's user as its owner. outcome: created | not_registered | name_taken | too_many.
-- A name is taken where the user itself belongs to a network of that name: of those of others nobody is told.
create function create_network(p_id text, p_slug text, p_policy jsonb, p_peer text, p_most int)
returns text language plpgsql as $$
declare
  v_user text;
begin
  select u.id into v_user from peers p join users u on u.id = p.user_id where p.id = p_peer for no key update of u;
  if not found then
    return 'not_registered';
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
-- Makes the peer's user a member, by a code's hash. outcome: joined | already_in | not_registered | invite_invalid |
-- too_many (networks of the user) | network_full. An invite is used up only by those who join.
create function accept_invite(p_hash text, p_peer text, p_now timestamptz, p_most int, p_most_members int)
returns table (outcome text, user_id text, network_id text) language plpgsql as $$
#variable_conflict use_column
declare
  v_user text;
  v_network text;
  v_role text;
begin
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
-- Whether somebody else would be left to own the network.
create function has_other_owner(p_network text, p_user text) returns boolean language sql stable as $$
  select exists (select from memberships where network_id = p_network and user_id <> p_user and role = 'owner')
$$;
--> statement-breakpoint
-- Takes a user out of a network: an owner anybody, others themselves; with the last member the network goes.
-- outcome: removed | network_unknown | forbidden | member_unknown | last_owner.
create function remove_member(p_network text, p_peer text, p_user text) returns text language plpgsql as $$
declare
  v_caller memberships;
  v_role text;
begin
  perform 1 from networks where id = p_network for update;
  select m.* into v_caller from peers p join memberships m on m.user_id = p.user_id
    where p.id = p_peer and m.network_id = p_network;
  if not found then
    return 'network_unknown';
  end if;
  if v_caller.user_id <> p_user and v_caller.role <> 'owner' then
    return 'forbidden';
  end if;
  select role into v_role from memberships where network_id = p_network and user_id = p_user;
  if not found then
    return 'member_unknown';
  end if;
  if not exists (select from memberships where network_id = p_network and user_id <> p_user) then
    delete from networks where id = p_network;
  elsif v_role = 'owner' and not has_other_owner(p_network, p_user) then
    return 'last_owner';
  end if;
  delete from memberships where network_id = p_network and user_id = p_user;
  return 'removed';
end $$;
--> statement-breakpoint
-- Gives a member another role, by an owner. outcome: changed | network_unknown | forbidden | member_unknown | last_owner.
create function change_role(p_network text, p_peer text, p_user text, p_role text) returns text language plpgsql as $$
declare
  v_caller memberships;
begin
  perform 1 from networks where id = p_network for update;
  select m.* into v_caller from peers p join memberships m on m.user_id = p.user_id
    where p.id = p_peer and m.network_id = p_network;
  if not found then
    return 'network_unknown';
  end if;
  if v_caller.role <> 'owner' then
    return 'forbidden';
  end if;
  if p_role <> 'owner' and not has_other_owner(p_network, p_user)
    and exists (select from memberships where network_id = p_network and user_id = p_user and role = 'owner') then
    return 'last_owner';
  end if;
  update memberships set role = p_role where network_id = p_network and user_id = p_user;
  return case when found then 'changed' else 'member_unknown' end;
end $$;
