/** Todos as people all over the world write them. */
import type { NewTodo, TodoPatch, TodoStatus } from '../../generated/contract.js'
import { pseudoRandom } from '../support/todo-model.js'

const titles = [
  'Water the plants',
  'Steuererklärung abgeben – bis spätestens Freitag!',
  'Réserver une table pour huit (côté fenêtre)',
  'Comprar piñones, jamón y ¿queso?',
  'Zadzwonić do cioci Grażyny w sprawie żółtej łódki',
  'Купить молоко, хлеб и 2 кг картошки',
  'Να πληρωθεί ο λογαριασμός του νερού',
  'שלוח את המכתב לסבתא',
  'اتصل بالطبيب الساعة ٩ صباحًا',
  'दादी को जन्मदिन की बधाई देना',
  'ซื้อตั๋วรถไฟไปเชียงใหม่',
  '给妈妈打电话',
  '図書館に本を返す（３冊）',
  '할머니께 편지 쓰기',
  'Gọi thợ sửa ống nước',
  'Kullanım kılavuzunu İstanbul’a gönder',
  'Þvo bílinn áður en það fer að rigna',
  'Megkérdezni, hogy működik-e az űrhajó',
  'Lisää maitoa kauppalistalle',
  'Ku kua ọkụ ụlọ ahụ',
  '🪴🚿 + 🐈‍⬛🍽️ = ❤️',
  'a&b<c>"d"\'e\'; DROP TABLE todos; -- 100 % \\n {{x}} $y',
  'Z̴͓̈́a̶l̷g̵o̶ ̷text with many combining marks',
  '  leading and trailing blanks  ',
  'two\nlines\tand a tab',
]

const paragraphs = [
  'The ficus takes half a litre, the cactus nothing. ',
  'Achtung: Der Hausmeister hat nur dienstags von 14 bis 16 Uhr Sprechstunde. ',
  'N’oubliez pas d’apporter les œufs, le cœur de bœuf et les pâtes fraîches.\n',
  'Проверить все счета за прошлый месяц. ',
  '请先确认时间，再通知大家。',
  'تأكد من إغلاق النوافذ قبل الخروج. ',
  '- [ ] one\n- [x] two\n\t- three\n',
  'https://example.org/?q=a%20b&c=d#e ',
  '👩‍👩‍👧‍👦🏳️‍🌈 ',
]

const deadlines = [
  null,
  '2026-12-24T18:00:00+01:00',
  '2027-03-28T02:30:00+02:00',
  '2028-02-29T23:59:59.999Z',
  '2030-06-01T09:00:00.123456789-09:30',
  '2016-12-31T23:59:60Z',
  '1969-07-20T20:17:40Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999+00:00',
  '2026-11-25t08:15:00z',
  '2031-01-01T00:00:00+14:00',
  '2031-01-01T00:00:00-12:00',
]

const statuses: TodoStatus[] = ['pending', 'in_progress', 'completed']
const random = pseudoRandom(1969)
const pick = <Value>(values: readonly Value[]) => values[random(values.length)] as Value

/** A few words to the longest that is allowed: 4,000 code points. */
function describe(): string | null {
  if (random(4) === 0) return null
  let text = ''
  const length = random(5) === 0 ? 4_000 : random(600)
  while (text.length < length) text += pick(paragraphs)
  return [...text].slice(0, length).join('')
}

export function someTodo(number: number): NewTodo {
  const title = random(20)
    ? `${pick(titles)} (${number})`
    : [...pick(titles).repeat(40)].slice(0, 200).join('')
  return {
    title,
    ...(random(3) && { description: describe() }),
    ...(random(2) && { deadline: pick(deadlines) }),
    ...(random(2) && { status: pick(statuses) }),
    ...(random(3) === 0 && { order: random(1000) - 500 }),
  }
}

export function someChange(): TodoPatch {
  return pick([
    { title: pick(titles) },
    { description: describe() },
    { deadline: pick(deadlines) },
    { order: random(2) ? null : random(100) },
    { completed: random(2) === 0 },
    { status: pick(statuses), description: null },
  ])
}
