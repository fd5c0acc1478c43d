-- As create_login, by an operator's invite, which is used up only by those who join.
-- outcome: created | email_taken | invite_invalid.
create function create_invited_login(p_user text, p_email text, p_password text, p_code_hash text)
returns text language plpgsql as $$
begin
  perform 1 from signup_invites
    where code_hash = p_code_hash and uses_left > 0 and expires_at > now() for no key update;
  if not found then
    return 'invite_invalid';
  end if;
  if not create_login(p_user, p_email, p_password) then
    return 'email_taken';
  end if;
  update signup_invites set uses_left = uses_left - 1 where code_hash = p_code_hash;
  return 'created';
end $$;
