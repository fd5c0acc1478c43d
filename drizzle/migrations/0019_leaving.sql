-- A person leaves: email, password, sessions, the names of machines and memberships go; the machines are signed out. The
-- ledger keeps its rows, under an id that nobody's name stands behind any more. Answers the machines.
create function close_person(p_user text, p_ghost text) returns table (peer_id text) language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from networks n join memberships m on m.network_id = n.id and m.user_id = p_user
    order by n.id for update of n;
  perform 1 from users where id = p_user for no key update;
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
  return query update peers p set user_id = p_ghost, name = null, revoked_at = coalesce(p.revoked_at, now())
    where p.user_id = p_user or p.user_id in (select u.id from users u where u.merged_into = p_user)
    returning p.id;
end $$;
