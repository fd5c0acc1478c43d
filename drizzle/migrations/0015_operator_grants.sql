-- Credits that an operator gives, out of the mint, to whoever the user is part of; once for a key.
create function grant_credits(p_key text, p_user text, p_amount bigint) returns text language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('operator_grant ' || p_key, 0));
  if exists (select from transfers where idempotency_key = 'operator_grant:' || p_key) then
    return 'already_granted';
  end if;
  if not exists (select from users where id = p_user and closed_at is null) then
    return 'no_user';
  end if;
  perform lock_accounts(array[p_user]);
  perform move_credits(array[row('operator_grant:' || p_key, 'operator_grant', null,
    mint(), purse_of(p_user), p_amount)::movement]);
  return 'granted';
end $$;
