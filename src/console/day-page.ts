/** The day of a practitioner, for the desk and the consulting room: who comes when, with which token, and who waits. */
import { html } from 'hono/html'
import type { Resource } from '../fhir/json.ts'
import { nameOf } from '../notifications/person.ts'
import { clockWords, dayWords, wallOf } from '../notifications/when.ts'
import type { DayVisit, Progress } from '../scheduling/day-list.ts'
import { dayAfter } from '../scheduling/hours.ts'
import { printedToken } from '../scheduling/token.ts'
import { type Markup, page } from './layout.ts'

export interface DayPage {
  practitioner: Resource
  /** `2026-11-21` */
  day: string
  today: string
  /** ms since 1970. */
  now: number
  zone: string
  visits: readonly DayVisit[]
}

/** Seconds between two looks. */
const EVERY = 15

const STATE: Readonly<Record<Progress, string>> = {
  booked: 'Booked',
  waiting: 'Waiting',
  called: 'Called',
  serving: 'With the doctor',
  skipped: 'Called, not there',
  done: 'Done',
  missed: 'Did not come',
  cancelled: 'Cancelled',
}

/** What is looked for first stands first: who is here, in the order of their turn; who is still to come; and who is through. */
const GROUPS: readonly (readonly [heading: string, of: readonly Progress[]])[] = [
  ['Here now', ['serving', 'called', 'waiting', 'skipped']],
  ['Still to come', ['booked']],
  ['Over', ['done', 'missed', 'cancelled']],
]

const HERE = GROUPS[0]![1]

/** Who is here stands by progress and token, all others by time, as they come. */
const byTurn =
  (of: readonly Progress[]) =>
  (a: DayVisit, b: DayVisit): number =>
    of !== HERE
      ? 0
      : turnOf(a) - turnOf(b) || (a.token?.order ?? Number.MAX_VALUE) - (b.token?.order ?? Number.MAX_VALUE)

/** Those with the doctor, those called, and all who wait. */
const turnOf = ({ progress }: DayVisit): number => HERE.indexOf(progress)

/** Returns the words of a day: `Saturday, 21 November 2026`. */
export const dayTitle = (day: string): string => dayWords(wallOf(Date.parse(`${day}T00:00:00Z`), 'UTC'), 'en')

/** Returns the page. */
export function dayPage({ practitioner, day, today, now, zone, visits }: DayPage): Markup {
  const name = nameOf(practitioner, 'en') ?? 'Practitioner'
  const id = encodeURIComponent(String(practitioner.id))
  const clock = (at: number): string => clockWords(wallOf(at, zone), 'en')
  const link = (to: string, words: string) => html`<a href="/console/day/${id}?day=${to}">${words}</a>`
  const shown = visits.filter(({ progress }) => progress !== 'cancelled')
  const count = (...of: Progress[]) => visits.filter(({ progress }) => of.includes(progress)).length
  const sums: [number, string][] = [
    [shown.length, 'in all'],
    [count('waiting', 'called', 'skipped'), 'waiting'],
    [count('serving'), 'with the doctor'],
    [count('done'), 'done'],
    [count('booked'), 'to come'],
    [count('missed'), 'did not come'],
    [count('cancelled'), 'cancelled'],
  ]
  const late = lateMinutes(visits)
  return page({
    title: `${name}, ${dayTitle(day)}`,
    kind: 'list',
    every: EVERY,
    nav: html`<nav>
${link(dayAfter(day, -1), '← Day before')}
${day === today ? '' : link(today, 'Today')}
${link(dayAfter(day, 1), 'Day after →')}
<a href="/console/queue/Practitioner/${id}">Queue display</a>
</nav>`,
    body: html`<h1>${name}</h1>
<p class="when">${dayTitle(day)}, <span class="asof">as of ${clock(now)}</span></p>
${late === undefined ? '' : html`<p class="late">Running late by about ${late} minutes.</p>`}
${
  visits.length === 0
    ? html`<p class="none">Nobody is booked on this day.</p>`
    : html`<ul class="sum">
${sums.filter(([number], index) => number > 0 || index < 2).map(([number, words]) => html`<li><b>${number}</b> ${words}</li>`)}
</ul>
<table>
<thead><tr><th scope="col">Time</th><th scope="col">Token</th><th scope="col">Patient</th><th scope="col">Age, sex</th><th scope="col">Status</th></tr></thead>
${GROUPS.map(([heading, of]) => {
  const own = visits.filter(({ progress }) => of.includes(progress)).toSorted(byTurn(of))
  return own.length === 0
    ? ''
    : html`<tbody>
<tr class="group"><th colspan="5" scope="rowgroup">${heading}</th></tr>
${own.map(visit => row(visit, now, zone, clock))}</tbody>
`
})}
</table>`
}`,
  })
}

function row(
  { start, expected, progress, token, patient }: DayVisit,
  now: number,
  zone: string,
  clock: (at: number) => string,
): Markup {
  const moved =
    expected !== undefined && expected !== start && (progress === 'booked' || progress === 'waiting')
  const time =
    start === undefined
      ? 'Walk-in'
      : moved
        ? html`<span class="new">${clock(expected)}</span> <s>${clock(start)}</s>`
        : clock(start)
  return html`<tr class="${progress}"><td class="time">${time}</td><td class="token">${token === undefined ? '' : (printedToken(token.task) ?? '')}</td><td class="name">${nameOf(patient, 'en') ?? 'Not named'}</td><td class="about">${about(patient, now, zone)}</td><td class="is"><span class="state">${STATE[progress]}</span></td></tr>
`
}

const SEX: Readonly<Record<string, string>> = { male: 'M', female: 'F', other: 'other' }

/** Returns age and sex: `34 F`; months below two years. */
function about(patient: Resource | undefined, now: number, zone: string): string {
  const sex = SEX[String(patient?.gender)] ?? ''
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?/.exec(String(patient?.birthDate ?? ''))
  if (match === null) return sex
  const today = wallOf(now, zone)
  const [, year, month = '1', day = '1'] = match
  const months =
    (today.year - Number(year)) * 12 + today.month - Number(month) - (today.day < Number(day) ? 1 : 0)
  if (months < 0) return sex
  return `${months < 24 ? `${months} months` : Math.floor(months / 12)} ${sex}`.trim()
}

/** Returns by how many minutes visits that are still to come are behind their time; undefined for none. */
export function lateMinutes(visits: readonly DayVisit[]): number | undefined {
  const minutes = visits
    .filter(({ progress }) => progress === 'booked' || progress === 'waiting' || progress === 'called')
    .flatMap(({ start, expected }) =>
      start === undefined || expected === undefined ? [] : [Math.round((expected - start) / 60_000)],
    )
  const most = Math.max(0, ...minutes)
  return most > 0 ? most : undefined
}
