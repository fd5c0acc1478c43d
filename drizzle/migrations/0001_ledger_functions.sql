-- The rules of the ledger that no table constraint can say, and its four movements.
-- Each movement is one statement for its caller. Locks are taken in one order everywhere:
-- leases by id, then accounts by id; so no two movements wait for each other.

insert into accounts (kind) values ('mint');
--> statement-breakpoint
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
--> statement-breakpoint
create trigger transfers_append_only before update or delete or truncate on transfers
  for each statement execute function refuse_change();
--> statement-breakpoint
create trigger entries_append_only before update or delete or truncate on entries
  for each statement execute function refuse_change();
--> statement-breakpoint
create function refuse_unbalanced() returns trigger language plpgsql as $$
begin
  if exists (select from added group by transfer_id having sum(amount) <> 0) then
    raise exception 'a transfer does not balance' using errcode = 'check_violation';
  end if;
  return null;
end $$;
--> statement-breakpoint
create trigger entries_balance after insert on entries
  referencing new table as added for each statement execute function refuse_unbalanced();
--> statement-breakpoint
create function account_of(p_user text, p_kind text) returns bigint language sql stable as $$
  select id from accounts where user_id = p_user and kind = p_kind
$$;
--> statement-breakpoint
create function lock_accounts(p_users text[]) returns void language plpgsql as $$
begin
  perform 1 from accounts where user_id = any (p_users) order by id for update;
end $$;
--> statement-breakpoint
-- Moves p_amount once; false where the key was used before. Its caller holds the locks.
create function move_credits(p_key text, p_type text, p_lease uuid, p_from bigint, p_to bigint, p_amount bigint)
returns boolean language plpgsql as $$
declare
  v_transfer bigint;
begin
  insert into transfers (idempotency_key, type, lease_id) values (p_key, p_type, p_lease)
    on conflict (idempotency_key) do nothing returning id into v_transfer;
  if v_transfer is null then
    return false;
  end if;
  insert into entries (transfer_id, account_id, amount)
    values (v_transfer, p_from, -p_amount), (v_transfer, p_to, p_amount);
  update accounts set balance = balance + case id when p_to then p_amount else -p_amount end
    where id in (p_from, p_to) and user_id is not null;
  return true;
end $$;
--> statement-breakpoint
-- Enrols a peer; a known peer keeps its user. A new user gets its accounts and, once, the starter credits.
create function register_peer(p_peer text, p_key_x text, p_name text, p_new_user text, p_starter bigint)
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
  insert into peers (id, user_id, public_key_x, name) values (p_peer, p_new_user, p_key_x, p_name);
  insert into accounts (user_id, kind, balance) values (p_new_user, 'available', 0), (p_new_user, 'held', 0);
  if p_starter > 0 then
    perform move_credits('starter_grant:' || p_new_user, 'starter_grant', null,
      (select id from accounts where kind = 'mint'), account_of(p_new_user, 'available'), p_starter);
  end if;
  return p_new_user;
end $$;
--> statement-breakpoint
-- Gives back what leases have left that ended before p_before, of one user or of all; those being settled wait.
create function release_leases(p_user text, p_before timestamptz, p_limit int) returns int language plpgsql as $$
declare
  v_lease leases;
  v_ids uuid[];
begin
  select array_agg(id order by id) into v_ids from (
    select id from leases
    where released_at is null and expires_at < p_before and (p_user is null or user_id = p_user)
    order by id limit p_limit for update skip locked
  ) due;
  if v_ids is null then
    return 0;
  end if;
  perform lock_accounts(array(select distinct user_id from leases where id = any (v_ids)));
  for v_lease in select * from leases where id = any (v_ids) order by id loop
    perform give_back(v_lease);
  end loop;
  return cardinality(v_ids);
end $$;
--> statement-breakpoint
create function give_back(p_lease leases) returns void language plpgsql as $$
begin
  update leases set released_at = now() where id = p_lease.id;
  if p_lease.budget > p_lease.spent then
    perform move_credits('release:' || p_lease.id, 'release', p_lease.id,
      account_of(p_lease.user_id, 'held'), account_of(p_lease.user_id, 'available'),
      p_lease.budget - p_lease.spent);
  end if;
end $$;
--> statement-breakpoint
-- Ends one lease now: no node took it, so nothing can be owed.
create function void_lease(p_lease uuid) returns void language plpgsql as $$
declare
  v_lease leases;
begin
  select * into v_lease from leases where id = p_lease and released_at is null for update;
  if found then
    perform lock_accounts(array[v_lease.user_id]);
    perform give_back(v_lease);
  end if;
end $$;
--> statement-breakpoint
-- Holds up to p_budget for a new lease. outcome: held | not_registered | credits_exhausted | replayed.
create function hold_credits(
  p_lease uuid, p_peer text, p_network text, p_model text, p_budget bigint,
  p_expires timestamptz, p_release_before timestamptz
) returns table (outcome text, user_id text, budget bigint, available bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_user text;
  v_available bigint;
  v_held bigint;
begin
  select p.user_id into v_user from peers p where p.id = p_peer;
  if not found then
    return query select 'not_registered', null::text, 0::bigint, 0::bigint;
    return;
  end if;
  perform release_leases(v_user, p_release_before, 50);
  perform lock_accounts(array[v_user]);
  select a.balance into v_available from accounts a where a.user_id = v_user and a.kind = 'available';
  v_held := least(v_available, p_budget);
  if v_held <= 0 then
    return query select 'credits_exhausted', v_user, 0::bigint, v_available;
    return;
  end if;
  insert into leases (id, user_id, peer_id, network, model, budget, expires_at)
    values (p_lease, v_user, p_peer, p_network, p_model, v_held, p_expires) on conflict (id) do nothing;
  if not found then
    return query select 'replayed', v_user, 0::bigint, v_available;
    return;
  end if;
  perform move_credits('hold:' || p_lease, 'hold', p_lease,
    account_of(v_user, 'available'), account_of(v_user, 'held'), v_held);
  return query select 'held', v_user, v_held, v_available - v_held;
end $$;
--> statement-breakpoint
-- Adds up to p_add to an open lease and moves its end. outcome: extended | lease_not_found.
-- A lease that can't get more keeps its budget and still lives longer.
create function extend_lease(p_lease uuid, p_peer text, p_add bigint, p_expires timestamptz, p_key text)
returns table (outcome text, budget bigint, available bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_lease leases;
  v_available bigint;
  v_added bigint;
begin
  select * into v_lease from leases l
    where l.id = p_lease and l.peer_id = p_peer and l.released_at is null for update;
  if not found then
    return query select 'lease_not_found', 0::bigint, 0::bigint;
    return;
  end if;
  perform lock_accounts(array[v_lease.user_id]);
  select a.balance into v_available from accounts a where a.user_id = v_lease.user_id and a.kind = 'available';
  v_added := least(v_available, p_add);
  if v_added > 0 and not move_credits('extension:' || p_key, 'extension', p_lease,
      account_of(v_lease.user_id, 'available'), account_of(v_lease.user_id, 'held'), v_added) then
    v_added := 0;
  end if;
  update leases l set budget = l.budget + v_added, expires_at = greatest(l.expires_at, p_expires)
    where l.id = p_lease;
  return query select 'extended', v_lease.budget + v_added, v_available - v_added;
end $$;
--> statement-breakpoint
-- Settles receipts that were verified, each once, in one go. An item claims microcredits; it is paid the
-- lesser of that and what its lease has left, from the hold or, where that was given back, from what the
-- payer has. Own nodes are free. status: settled | already_settled | lease_unknown.
create function settle_receipts(p_items jsonb)
returns table (item int, status text, amount bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v record;
  v_lease leases;
  v_owner text;
  v_amount bigint;
begin
  perform 1 from leases where id in (select (i ->> 'lease')::uuid from jsonb_array_elements(p_items) i)
    order by id for update;
  perform lock_accounts(array(
    select l.user_id from leases l
      where l.id in (select (i ->> 'lease')::uuid from jsonb_array_elements(p_items) i)
    union
    select p.user_id from peers p
      where p.id in (select i ->> 'node' from jsonb_array_elements(p_items) i)
  ));
  for v in
    select r.* from jsonb_to_recordset(p_items) as r (
      item int, lease uuid, seq int, node text, claim bigint, engine text, started_at_ms bigint,
      queue_ms int, ttft_ms int, engine_ms int, prompt_tokens int, completion_tokens int,
      outcome text, request_hash text, response_hash text
    ) order by r.item
  loop
    select * into v_lease from leases where id = v.lease;
    select p.user_id into v_owner from peers p where p.id = v.node;
    if v_lease.id is null or v_owner is null then
      return query select v.item, 'lease_unknown', 0::bigint;
      continue;
    end if;
    select r.amount into v_amount from receipts r
      where r.lease_id = v.lease and r.seq = v.seq and r.node_id = v.node;
    if found then
      return query select v.item, 'already_settled', v_amount;
      continue;
    end if;
    v_amount := case when v_owner = v_lease.user_id then 0
                     else least(v.claim, v_lease.budget - v_lease.spent) end;
    if v_lease.released_at is not null then
      v_amount := least(v_amount, (select a.balance from accounts a
        where a.user_id = v_lease.user_id and a.kind = 'available'));
    end if;
    insert into receipts (lease_id, seq, node_id, engine, started_at, queue_ms, ttft_ms, engine_ms,
        prompt_tokens, completion_tokens, outcome, request_hash, response_hash, amount)
      values (v.lease, v.seq, v.node, v.engine, to_timestamp(v.started_at_ms / 1000.0), v.queue_ms,
        v.ttft_ms, v.engine_ms, v.prompt_tokens, v.completion_tokens, v.outcome, v.request_hash,
        v.response_hash, v_amount);
    if v_amount > 0 then
      perform move_credits(format('settlement:%s:%s:%s', v.lease, v.seq, v.node), 'settlement', v.lease,
        account_of(v_lease.user_id, case when v_lease.released_at is null then 'held' else 'available' end),
        account_of(v_owner, 'available'), v_amount);
      update leases set spent = spent + v_amount where id = v.lease;
    end if;
    return query select v.item, 'settled', v_amount;
  end loop;
end $$;
