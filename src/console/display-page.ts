/** The queue display of a waiting room: tokens alone, and no name of a patient. */
import { html } from 'hono/html'
import type { Resource } from '../fhir/json.ts'
import { nameOf } from '../notifications/person.ts'
import { clockWords, wallOf } from '../notifications/when.ts'
import { lineOf } from '../scheduling/queue.ts'
import { printedToken, type Token } from '../scheduling/token.ts'
import { type Markup, page } from './layout.ts'

export interface DisplayPage {
  owner: Resource
  /** ms since 1970. */
  now: number
  zone: string
  /** Of one category, or of all. */
  tokens: readonly Token[]
  /** Minutes by which the practitioner is late. */
  late: number | undefined
}

/** Seconds between two looks. */
const EVERY = 5

/** Milliseconds for which a call is new. */
const NEW_MS = 30_000

/** Tokens that wait and are shown; more cannot be read from afar. */
const SHOWN = 15

/** Returns the page. */
export function displayPage({ owner, now, zone, tokens, late }: DisplayPage): Markup {
  const name = nameOf(owner, 'en') ?? 'Queue'
  const line = byCategory(tokens)
  const of = (state: Token['state']) => line.filter(one => one.state === state)
  const called = of('called').toSorted((a, b) => calledAt(b) - calledAt(a))
  const waiting = of('waiting')
  const aside = tokens.filter(({ state }) => state === 'skipped')
  const list = (heading: string, kind: string, all: readonly Token[]) =>
    all.length === 0
      ? ''
      : html`<h2>${heading}</h2>
<ol class="${kind}">${all.map(one => html`<li${now - calledAt(one) < NEW_MS && one.state === 'called' ? html` class="fresh"` : ''}>${printed(one)}</li>`)}</ol>`
  return page({
    title: `Queue, ${name}`,
    kind: 'display',
    every: EVERY,
    body: html`<header><h1>${name}</h1><p class="when">${clockWords(wallOf(now, zone), 'en')}</p></header>
${late === undefined ? '' : html`<p class="late">Running late by about ${late} minutes. Thank you for waiting.</p>`}
<div class="now">
${list('Please come in', 'in', called)}
${list('Inside', 'with', of('serving'))}
${line.length === 0 ? html`<p class="none">Nobody is waiting.</p>` : ''}
</div>
<div class="then">
${list('Next', 'next', waiting.slice(0, SHOWN))}
${waiting.length > SHOWN ? html`<p class="more">and ${waiting.length - SHOWN} more</p>` : ''}
</div>
${aside.length === 0 ? '' : html`<p class="aside">Called and not there, please ask at the desk: ${aside.map(printed).join(', ')}</p>`}`,
  })
}

/** Returns who stands in line, category after category. */
function byCategory(tokens: readonly Token[]): Token[] {
  const categories = Map.groupBy(tokens, ({ queue }) => queue.category)
  return [...categories.keys()].sort().flatMap(name => lineOf(categories.get(name)!))
}

const printed = ({ task }: Token): string => printedToken(task) ?? ''

const calledAt = ({ task }: Token): number => Date.parse(String(task.lastModified)) || 0
