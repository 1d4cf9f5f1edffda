import { createDatabase } from './cluster.js'
import { connect } from './migrations.js'

/** The Flask app's table, as it made it. */
export const flaskTable =
  'create table public.todos (id serial primary key, title text, description text, deadline timestamp, status text);'

/** A row of it without its id. */
export type Row = Record<'title' | 'description' | 'deadline' | 'status', string | null>

/** A row that fits as it is. */
export const ordinary: Row = {
  title: 'Buy milk',
  description: 'Two litres',
  deadline: null,
  status: 'pending',
}
const long = 'e\u0301'.repeat(150)

/** What is odd about a row, in what its todo differs from it, and whether the row is kept whole. */
export const examples: { name: string; old: Partial<Row>; todo?: Partial<Row>; kept?: true }[] = [
  { name: 'an ordinary row', old: {} },
  { name: 'no title', old: { title: null }, todo: { title: '(untitled)' }, kept: true },
  { name: 'an empty title', old: { title: '' }, todo: { title: '(untitled)' }, kept: true },
  { name: 'a blank title', old: { title: ' \t\n\u3000\ufeff' }, todo: { title: '(untitled)' }, kept: true },
  { name: 'a title with white space around it', old: { title: '  milk\n' } },
  { name: 'a title as long as it may be', old: { title: '🪴'.repeat(200) } },
  {
    name: 'a title that is too long',
    old: { title: '🪴'.repeat(201) },
    todo: { title: `${'🪴'.repeat(199)}…` },
    kept: true,
  },
  {
    name: 'a title of combining characters',
    old: { title: long },
    todo: { title: `${long.slice(0, 199)}…` },
    kept: true,
  },
  {
    name: 'a title that begins with 300 blanks',
    old: { title: `${' '.repeat(300)}milk` },
    todo: { title: `${' '.repeat(199)}…` },
    kept: true,
  },
  { name: 'quotes and backslashes', old: { title: `Bobby'); -- "\\" $takeover$`, description: "'\\u0000" } },
  { name: 'no description', old: { description: null } },
  { name: 'an empty description', old: { description: '' } },
  { name: 'a description as long as it may be', old: { description: 'ö'.repeat(4000) } },
  {
    name: 'a description that is too long',
    old: { description: 'ö'.repeat(4001) },
    todo: { description: `${'ö'.repeat(3999)}…` },
    kept: true,
  },
  {
    name: 'a deadline, which is UTC',
    old: { deadline: '2024-02-29T12:30:00' },
    todo: { deadline: '2024-02-29T12:30:00.000Z' },
  },
  {
    name: 'a deadline in microseconds, which are cut off',
    old: { deadline: '9999-12-31T23:59:59.999999' },
    todo: { deadline: '9999-12-31T23:59:59.999Z' },
  },
  {
    name: 'the first deadline',
    old: { deadline: '0001-01-01T00:00:00' },
    todo: { deadline: '0001-01-01T00:00:00.000Z' },
  },
  {
    name: 'a deadline before Christ',
    old: { deadline: '0044-03-15T00:00:00 BC' },
    todo: { deadline: null },
    kept: true,
  },
  {
    name: 'a deadline of five digits',
    old: { deadline: '10000-01-01T00:00:00' },
    todo: { deadline: null },
    kept: true,
  },
  {
    name: 'the last moment there is',
    old: { deadline: '294276-12-31T23:59:59.999999' },
    todo: { deadline: null },
    kept: true,
  },
  { name: 'the deadline infinity', old: { deadline: 'infinity' }, todo: { deadline: null }, kept: true },
  { name: 'the deadline -infinity', old: { deadline: '-infinity' }, todo: { deadline: null }, kept: true },
  { name: 'no status', old: { status: null }, todo: { status: 'pending' } },
  ...['pending', 'PENDING', ' Pending '].map((status) => ({
    name: `the status "${status}"`,
    old: { status },
    todo: { status: 'pending' },
  })),
  ...['in progress', 'in_progress', 'IN PROGRESS', 'InProgress', ' in\u00a0__ Progress\n'].map((status) => ({
    name: `the status "${status}"`,
    old: { status },
    todo: { status: 'in_progress' },
  })),
  ...['Done', 'done', 'DONE', 'completed', 'Completed'].map((status) => ({
    name: `the status "${status}"`,
    old: { status },
    todo: { status: 'completed' },
  })),
  ...['', 'archived', 'in-progress', 'not done', 'ın progress'].map((status) => ({
    name: `the unknown status "${status}"`,
    old: { status },
    todo: { status: 'pending' },
    kept: true as const,
  })),
  { name: 'nothing but nulls', old: nulls(), todo: { title: '(untitled)', status: 'pending' }, kept: true },
]

function nulls(): Row {
  return { title: null, description: null, deadline: null, status: null }
}

/** An empty database with the Flask app's table and these rows, the highest id first. */
export async function flaskDatabase(rows: Partial<Row>[] = []): Promise<string> {
  const url = await createDatabase('template0')
  const database = await connect(url)
  await database.query(flaskTable)
  for (const [index, row] of [...rows.entries()].reverse()) {
    const { title, description, deadline, status } = { ...ordinary, ...row }
    await database.query('insert into public.todos values ($1, $2, $3, $4, $5)', [
      index + 1,
      title,
      description,
      deadline,
      status,
    ])
  }
  return url
}
