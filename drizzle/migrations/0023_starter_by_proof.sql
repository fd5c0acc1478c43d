-- Starter credits may wait for a proof of hardware: null gives none for now, and leaves them to be given once.
create or replace function grant_starter(p_user text, p_amount bigint) returns void language plpgsql as $$
begin
  if p_amount is null then
    return;
  end if;
  update users set has_starter = true where id = p_user and not has_starter;
  if found then
    perform lock_accounts(array[p_user]);
    perform move_credits(array[row('starter_grant:' || p_user, 'starter_grant', null,
      mint(), account_of(p_user, 'available'), p_amount)::movement]);
  end if;
end $$;
--> statement-breakpoint
-- Starter credits for the user of a peer that has proven its hardware, once for a user.
create function grant_proven_starter(p_peer text, p_amount bigint) returns void language plpgsql as $$
declare
  v_user text;
begin
  perform pg_advisory_xact_lock(hashtextextended('register ' || p_peer, 0));
  select u.id into v_user from peers p join users u on u.id = p.user_id
    where p.id = p_peer and p.revoked_at is null for no key update of u;
  if found then
    perform grant_starter(v_user, p_amount);
  end if;
end $$;
