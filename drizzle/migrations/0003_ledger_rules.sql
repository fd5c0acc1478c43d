-- What older rows lack for escrow, and the rules that keep every way but the ledger's own functions out.

update receipts r set owner_id = p.user_id, network = l.network, model = l.model,
    rate = 1000000 -- Every ticket so far was issued at that rate.
  from peers p, leases l where p.id = r.node_id and l.id = r.lease_id;
--> statement-breakpoint
insert into accounts (user_id, kind, balance) select id, 'escrow', 0 from users;
--> statement-breakpoint
-- What an ended lease has left is a refund from now on; `release` is what escrow does.
alter table transfers disable trigger transfers_append_only;
--> statement-breakpoint
update transfers set type = 'refund' where type = 'release';
--> statement-breakpoint
alter table transfers enable trigger transfers_append_only;
--> statement-breakpoint
-- Entries are the only way in which a balance changes: they come whole, balanced and once, and move it themselves.
create function apply_entries() returns trigger language plpgsql as $$
begin
  if exists (select from added group by transfer_id having sum(amount) <> 0) then
    raise exception 'a transfer does not balance' using errcode = 'check_violation';
  end if;
  if exists (
    select from (select transfer_id, count(*) as legs from added group by transfer_id) a
    where a.legs <> (select count(*) from entries e where e.transfer_id = a.transfer_id)
  ) then
    raise exception 'a transfer gets no more entries' using errcode = 'restrict_violation';
  end if;
  update accounts a set balance = a.balance + d.change
    from (select account_id, sum(amount)::bigint as change from added group by account_id) d
    where a.id = d.account_id and a.balance is not null;
  return null;
end $$;
--> statement-breakpoint
drop trigger entries_balance on entries;
--> statement-breakpoint
drop function refuse_unbalanced();
--> statement-breakpoint
create trigger entries_apply after insert on entries
  referencing new table as added for each statement execute function apply_entries();
--> statement-breakpoint
create function refuse_bypass() returns trigger language plpgsql as $$
begin
  raise exception '% may not change like this', tg_table_name using errcode = 'restrict_violation';
end $$;
--> statement-breakpoint
-- At depth 0 it is a statement of somebody's own; the one in apply_entries is deeper.
create trigger accounts_by_entries before update on accounts
  for each row when (pg_trigger_depth() = 0) execute function refuse_bypass();
--> statement-breakpoint
create trigger accounts_begin_empty before insert on accounts
  for each row when (new.balance <> 0) execute function refuse_bypass();
--> statement-breakpoint
create trigger accounts_stay before delete or truncate on accounts
  for each statement execute function refuse_bypass();
--> statement-breakpoint
create trigger leases_stay before delete or truncate on leases
  for each statement execute function refuse_bypass();
--> statement-breakpoint
create trigger leases_keep_terms before update of id, user_id, peer_id, network, model, created_at on leases
  for each statement execute function refuse_bypass();
--> statement-breakpoint
create trigger leases_stay_released before update of budget, released_at on leases
  for each row when (old.released_at is not null) execute function refuse_bypass();
--> statement-breakpoint
create trigger receipts_append_only before update or delete or truncate on receipts
  for each statement execute function refuse_change();
--> statement-breakpoint
create trigger disputes_append_only before update or delete or truncate on disputes
  for each statement execute function refuse_change();
--> statement-breakpoint
create trigger escrows_as_settled before update or truncate on escrows
  for each statement execute function refuse_bypass();
--> statement-breakpoint
create trigger acks_append_only before update or truncate on acks
  for each statement execute function refuse_change();
