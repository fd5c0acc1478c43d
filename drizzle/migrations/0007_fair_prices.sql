-- What a model usually costs: docs/decisions/0010-fair-price-and-escrow.md.

-- Microcredits for 1,000 completion tokens: the median over the last 1,000 receipts of 14 days that completed, were paid,
-- are not in dispute and told their tokens, at most 100 of one owner. Null below 20 of them.
create function learn_rate(p_network text, p_model text, out rate bigint, out samples int) language sql stable as $$
  with latest as (
    select r.owner_id, r.settled_at, r.amount::numeric * 10000
        / (coalesce(r.completion_tokens, 0)::numeric * 10 + coalesce(r.prompt_tokens, 0)) as price
    from receipts r
    where r.network = p_network and r.model = p_model and r.outcome = 'completed' and r.amount > 0
      and r.settled_at > now() - interval '14 days'
      and coalesce(r.completion_tokens, 0) + coalesce(r.prompt_tokens, 0) > 0
      and not exists (
        select from disputes d where d.lease_id = r.lease_id and d.seq = r.seq and d.node_id = r.node_id)
    order by r.settled_at desc limit 20000
  ), fair_shares as (
    select price, settled_at, row_number() over (partition by owner_id order by settled_at desc) as place from latest
  ), sample as (
    select price from fair_shares where place <= 100 order by settled_at desc limit 1000
  )
  select case when count(*) >= 20 then round(percentile_disc(0.5) within group (order by price))::bigint end, count(*)::int
    from sample
$$;
--> statement-breakpoint
-- Learns again of models that have receipts newer than their rate, up to p_limit models. A rate that is known stays
-- known where too few receipts are left: a quiet month makes no model free to price. Returns how many were looked at.
create function learn_rates(p_limit int) returns int language plpgsql as $$
declare
  v_model record;
  v_learned record;
  v_looked int := 0;
begin
  -- Two crons at once would only do the same work twice.
  if not pg_try_advisory_xact_lock(hashtext('learn_rates')) then
    return 0;
  end if;
  for v_model in
    with recursive models as (
      (select network, model from receipts where outcome = 'completed' and amount > 0
        order by network, model limit 1)
      union all
      select n.network, n.model from models m cross join lateral (
        select r.network, r.model from receipts r
        where r.outcome = 'completed' and r.amount > 0 and (r.network, r.model) > (m.network, m.model)
        order by r.network, r.model limit 1) n
    )
    select m.network, m.model from models m left join model_rates k using (network, model)
    where exists (
      select from receipts r where r.network = m.network and r.model = m.model and r.outcome = 'completed'
        and r.amount > 0 and r.settled_at > coalesce(k.updated_at, '-infinity'))
    order by k.updated_at nulls first limit p_limit
  loop
    v_learned := learn_rate(v_model.network, v_model.model);
    v_looked := v_looked + 1;
    continue when v_learned.rate is null;
    insert into model_rates (network, model, rate, samples, updated_at)
      values (v_model.network, v_model.model, v_learned.rate, v_learned.samples, now())
      on conflict (network, model)
        do update set rate = excluded.rate, samples = excluded.samples, updated_at = excluded.updated_at;
  end loop;
  return v_looked;
end $$;
