-- The constraints say what must never be false, whoever writes. Text that only the service reads is compared
-- byte by byte (collate "C"): its order, and so its indexes, outlive every change of the server's locales.
create table todo.todos (
  -- Version 7 with the variant of RFC 9562, so that ids sort in the order of creation.
  id uuid primary key
    constraint id_is_version_7
    check (substr(id::text, 15, 1) = '7' and substr(id::text, 20, 1) in ('8', '9', 'a', 'b')),
  -- The entity tag: it grows with every change.
  version bigint not null default 1
    constraint version_is_positive check (version > 0),
  -- Characters are Unicode code points. White space is what \s matches in JavaScript, written out,
  -- because what PostgreSQL's own classes match depends on the collation.
  title text not null
    constraint title_has_at_most_200_characters check (char_length(title) <= 200)
    constraint title_is_not_blank
    check (
      btrim(
        title,
        E'\t\n\u000b\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
        || E'\u2028\u2029\u202f\u205f\u3000\ufeff'
      ) <> ''
    ),
  description text
    constraint description_has_at_most_4000_characters check (char_length(description) <= 4000),
  -- The years that RFC 3339 can write. The bounds exclude the infinities too.
  deadline timestamptz(3)
    constraint deadline_has_a_year_of_four_digits
    check (
      deadline >= timestamptz '0001-01-01 00:00:00+00' and deadline < timestamptz '10000-01-01 00:00:00+00'
    ),
  status text collate "C" not null default 'pending'
    constraint status_is_known check (status in ('pending', 'in_progress', 'completed')),
  "order" integer,
  -- The first 48 bits of a version 7 UUID are milliseconds since 1970 (RFC 9562, section 5.7).
  created_at timestamptz(3) not null
    generated always as (
      to_timestamp(('x' || substr(id::text, 1, 8) || substr(id::text, 10, 4))::bit(48)::bigint / 1000.0)
    ) stored,
  updated_at timestamptz(3) not null
    constraint updated_after_creation check (updated_at >= created_at),
  -- The whole row of the database that was taken over, where it did not fit.
  imported jsonb
);

-- One index for each sort, alone and with a status. Sorting by creation is sorting by id.
create index todos_by_status on todo.todos (status, id);
create index todos_by_deadline on todo.todos (deadline, id);
create index todos_by_status_and_deadline on todo.todos (status, deadline, id);
create index todos_by_order on todo.todos ("order", id);
create index todos_by_status_and_order on todo.todos (status, "order", id);

-- What was answered to a request with an Idempotency-Key, so that it can be answered again.
create table todo.idempotency_keys (
  key text collate "C" primary key,
  request jsonb not null,
  -- The whole answer as JSON text, so that it is given again to the letter.
  reply text not null,
  expires_at timestamptz not null
);

create index idempotency_keys_by_expiry on todo.idempotency_keys (expires_at);
