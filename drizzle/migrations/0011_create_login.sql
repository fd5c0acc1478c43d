-- A person and its user, which gets its accounts and no credits: those come with its first peer. False where the email is
-- taken, and then nothing is left behind.
create function create_login(p_user text, p_email text, p_password text) returns boolean language plpgsql as $$
begin
  insert into users (id) values (p_user);
  insert into accounts (user_id, kind, balance)
    values (p_user, 'available', 0), (p_user, 'held', 0), (p_user, 'escrow', 0);
  insert into logins (user_id, email, password) values (p_user, p_email, p_password);
  return true;
exception when unique_violation then
  return false;
end $$;
