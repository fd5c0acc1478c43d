-- A peer that was signed out makes and joins no network, takes no free lease, and is not linked again by a code that it
-- had asked for before.
-- On what terms a peer may use a model in a private network. outcome: welcome | may_not_use | model_not_allowed; no row
-- where the network is not there or is not the peer's, so that nobody outside can tell one from the other.
create or replace function network_terms(p_network text, p_peer text, p_model text)
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
  where p.id = p_peer and p.revoked_at is null and n.id = p_network
$$;
--> statement-breakpoint
-- Makes a network with the peer's user as its owner. outcome: created | not_registered | peer_revoked | name_taken | too_many.
-- A name is taken where the user itself belongs to a network of that name: of those of others nobody is told.
create or replace function create_network(p_id text, p_slug text, p_policy jsonb, p_peer text, p_most int)
returns text language plpgsql as $$
declare
  v_user text;
begin
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
drop function link_peer(text, text, text, text, bigint);
--> statement-breakpoint
-- Gives a peer, new or known, to a person. outcome: linked | already_linked | user_unknown | code_over: it was
-- signed out since p_requested, when it asked.
create function link_peer(p_peer text, p_key_x text, p_name text, p_user text, p_starter bigint,
  p_requested timestamptz default 'infinity')
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
  if exists (select from peers where id = p_peer and revoked_at >= p_requested) then
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
