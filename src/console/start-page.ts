/** The way into the console: everybody whose day can be looked at. */
import { html } from 'hono/html'
import type { Resource } from '../fhir/json.ts'
import { nameOf } from '../notifications/person.ts'
import { type Markup, page } from './layout.ts'

/** Returns the page. */
export function startPage(practitioners: readonly Resource[]): Markup {
  const all = practitioners
    .map(one => ({ id: encodeURIComponent(String(one.id)), name: nameOf(one, 'en') ?? 'Practitioner' }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
  return page({
    title: 'Practitioners',
    kind: 'list',
    body: html`<h1>Practitioners</h1>
${all.length === 0 ? html`<p class="none">No practitioner has a schedule yet.</p>` : ''}
<table>
<tbody>
${all.map(
  ({
    id,
    name,
  }) => html`<tr><td class="name">${name}</td><td><a href="/console/day/${id}">Today's list</a></td><td><a href="/console/queue/Practitioner/${id}">Queue display</a></td></tr>
`,
)}</tbody>
</table>`,
  })
}
