-- The audit of the money: what must hold of the whole ledger, whatever happened. Reads only; one snapshot.

-- Everything that is off, each with what it should be and what it is.
create function ledger_offenders() returns table (kind text, id text, at timestamptz, expected numeric, found numeric)
language sql stable as $$
  with sums as (
    select account_id, sum(amount) as total, max(transfer_id) as latest from entries group by account_id
  ), owned as (
    select a.*, coalesce(s.total, 0) as total,
      coalesce((select t.created_at from transfers t where t.id = s.latest), u.created_at) as at
    from accounts a join users u on u.id = a.user_id left join sums s on s.account_id = a.id
  ), open_leases as (
    select user_id, sum(budget - spent) as total from leases where released_at is null group by user_id
  ), waiting as (
    select owner_id, sum(amount) as total from escrows group by owner_id
  ), moved as (
    select t.lease_id, sum(e.amount) filter (where t.type = 'settlement') as settled,
      sum(e.amount) filter (where t.type = 'dispute') as disputed
    from transfers t join entries e on e.transfer_id = t.id and e.amount > 0
    where t.type in ('settlement', 'dispute') group by t.lease_id
  ), claimed as (
    select r.lease_id, sum(r.amount) as settled, sum(d.escrowed - d.settled) as disputed
    from receipts r left join disputes d using (lease_id, seq, node_id) group by r.lease_id
  )
  select 'transfer_unbalanced', t.id::text, t.created_at, 0::numeric, coalesce(sum(e.amount), 0)
    from transfers t left join entries e on e.transfer_id = t.id
    group by t.id having coalesce(sum(e.amount), 0) <> 0
  union all
  select 'transfer_without_entries', t.id::text, t.created_at, 2, 0
    from transfers t where not exists (select from entries e where e.transfer_id = t.id)
  union all
  select 'balance_differs_from_entries', o.id::text, o.at, o.total, o.balance
    from owned o where o.balance <> o.total
  union all
  select 'held_differs_from_leases', o.id::text, o.at, coalesce(l.total, 0), o.balance
    from owned o left join open_leases l on l.user_id = o.user_id
    where o.kind = 'held' and o.balance <> coalesce(l.total, 0)
  union all
  select 'escrow_differs_from_receipts', o.id::text, o.at, coalesce(w.total, 0), o.balance
    from owned o left join waiting w on w.owner_id = o.user_id
    where o.kind = 'escrow' and o.balance <> coalesce(w.total, 0)
  union all
  select 'spent_differs_from_transfers', l.id::text, l.created_at,
      coalesce(m.settled, 0) - coalesce(m.disputed, 0), l.spent
    from leases l left join moved m on m.lease_id = l.id
    where l.spent <> coalesce(m.settled, 0) - coalesce(m.disputed, 0)
  union all
  select 'receipts_differ_from_transfers', l.id::text, l.created_at, coalesce(m.settled, 0) - coalesce(m.disputed, 0),
      coalesce(c.settled, 0) - coalesce(c.disputed, 0)
    from leases l left join moved m on m.lease_id = l.id left join claimed c on c.lease_id = l.id
    where coalesce(m.settled, 0) - coalesce(m.disputed, 0) <> coalesce(c.settled, 0) - coalesce(c.disputed, 0)
$$;
--> statement-breakpoint
-- The latest transfers that an offender has part in, with all their entries, oldest first.
create function ledger_history(p_kind text, p_id text, p_limit int) returns jsonb language sql stable as $$
  with own as (
    select t.* from transfers t
    where case
      when p_kind like 'transfer%' then t.id = p_id::bigint
      when p_kind in ('spent_differs_from_transfers', 'receipts_differ_from_transfers') then t.lease_id = p_id::uuid
      else t.id in (select e.transfer_id from entries e where e.account_id = p_id::bigint
        order by e.transfer_id desc limit p_limit) end
    order by t.id desc limit p_limit
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'transfer', o.id::text, 'at', o.created_at, 'type', o.type, 'key', o.idempotency_key, 'lease', o.lease_id,
    'entries', (
      select coalesce(jsonb_agg(jsonb_build_object('account', a.id::text, 'user', a.user_id, 'kind', a.kind,
        'amount', e.amount) order by e.amount), '[]')
      from entries e join accounts a on a.id = e.account_id where e.transfer_id = o.id
    )) order by o.id), '[]') from own o
$$;
--> statement-breakpoint
-- All of it as one answer: counts, the first p_limit offenders by time, and the first one's history.
create function check_ledger(p_limit int) returns jsonb language plpgsql stable as $$
declare
  v_offenders jsonb;
  v_count int;
begin
  select count(*)::int, coalesce(jsonb_agg(to_jsonb(o) - 'place' order by o.place) filter (where o.place <= p_limit), '[]')
    into v_count, v_offenders
    from (select f.*, row_number() over (order by f.at, f.kind, f.id) as place from ledger_offenders() f) o;
  return jsonb_build_object(
    'checked_at', now(),
    'counts', jsonb_build_object(
      'transfers', (select count(*) from transfers), 'entries', (select count(*) from entries),
      'accounts', (select count(*) from accounts), 'leases', (select count(*) from leases),
      'receipts', (select count(*) from receipts), 'in_escrow', (select count(*) from escrows),
      'acks', (select count(*) from acks), 'disputes', (select count(*) from disputes)),
    'offender_count', v_count,
    'offenders', v_offenders,
    'history', case when v_count = 0 then '[]' else
      ledger_history(v_offenders -> 0 ->> 'kind', v_offenders -> 0 ->> 'id', 50) end);
end $$;
--> statement-breakpoint
-- The audit, its result kept.
create function record_ledger_check(p_limit int) returns jsonb language plpgsql as $$
declare
  v_report jsonb := check_ledger(p_limit);
begin
  insert into ledger_checks (offenders, report) values ((v_report ->> 'offender_count')::int, v_report);
  return v_report;
end $$;
