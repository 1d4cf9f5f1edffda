-- Takes over the todos of the Flask app. Its table public.todos is read, once, and stays as it is.
do $takeover$
declare
  -- What \s matches in JavaScript.
  white_space constant text :=
    E'\t\n\u000b\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
    || E'\u2028\u2029\u202f\u205f\u3000\ufeff';
  milliseconds constant bigint := floor(extract(epoch from now()) * 1000);
  columns constant text[] := array['id', 'title', 'description', 'deadline', 'status'];
  obstacle text;
  taken_over bigint;
  kept bigint;
begin
  select
    case
      when relation.relkind <> 'r' then 'it is not a table'
      when not has_schema_privilege(relation.relnamespace, 'usage')
        or not has_table_privilege(relation.oid, 'select')
        or row_security_active(relation.oid)
        then 'the user ' || quote_ident(current_user) || ' may not read all of it'
      when (
        select count(*)
        from pg_attribute
        where attrelid = relation.oid
          and (attname, atttypid) in (
            ('id', 'integer'::regtype),
            ('title', 'text'::regtype),
            ('description', 'text'::regtype),
            ('deadline', 'timestamp without time zone'::regtype),
            ('status', 'text'::regtype)
          )
      ) < cardinality(columns)
        then 'its columns are not id integer, title text, description text, deadline timestamp, status text'
    end
  into obstacle
  from pg_class as relation
  where relation.relnamespace = to_regnamespace('public') and relation.relname = 'todos';
  if not found then
    return;
  end if;
  if obstacle is not null then
    raise info 'Nothing is taken over from public.todos: %', obstacle;
    return;
  end if;

  with todos as (
    insert into todo.todos (id, title, description, deadline, status, updated_at, imported)
    select
      -- Version 7 in the order of the old ids: milliseconds, a counter of 12 and 20 bits (RFC 9562, section 6.2,
      -- method 1), and random bits.
      (
        lpad(to_hex(milliseconds), 12, '0')
        || '7' || lpad(to_hex(place >> 20), 3, '0')
        || '8' || lpad(to_hex(place & 1048575), 5, '0')
        || right(gen_random_uuid()::text, 10)
      )::uuid,
      case
        when title_is_blank then '(untitled)'
        when title_is_long then left(old_title, 199) || '…'
        else old_title
      end,
      case when description_is_long then left(old_description, 3999) || '…' else old_description end,
      case when deadline_fits then date_trunc('milliseconds', old_deadline) at time zone 'UTC' end,
      coalesce(known_status, 'pending'),
      to_timestamp(milliseconds / 1000.0),
      case
        when title_is_blank or title_is_long or description_is_long or not deadline_fits
          or (known_status is null and old_status is not null)
          or old_row - columns <> '{}' then old_row
      end
    from (
      select
        row_number() over (order by old.id) as place,
        old.title as old_title,
        old.description as old_description,
        old.deadline as old_deadline,
        old.status as old_status,
        to_jsonb(old.*) as old_row,
        btrim(coalesce(old.title, ''), white_space) = '' as title_is_blank,
        char_length(old.title) > 200 as title_is_long,
        char_length(old.description) > 4000 as description_is_long,
        old.deadline >= '0001-01-01' and old.deadline < '10000-01-01' as deadline_fits,
        -- In the collation "C", because in others "I" is not always the capital of "i".
        case lower(translate(old.status, white_space || '_', '') collate "C")
          when 'pending' then 'pending'
          when 'inprogress' then 'in_progress'
          when 'completed' then 'completed'
          when 'done' then 'completed'
        end as known_status
      from public.todos as old
    ) as seen
    returning imported
  )
  select count(*), count(imported) into taken_over, kept from todos;
  raise info 'Taken over from public.todos: % todos, % of them with the old row, which did not fit', taken_over, kept;
end
$takeover$;
