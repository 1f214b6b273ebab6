/** A page that says why there is none. */
import { html } from 'hono/html'
import type { FhirError } from '../fhir/error.ts'
import { type Markup, page } from './layout.ts'

/** Returns the page of an error. */
export const noticePage = ({ issues }: FhirError): Markup =>
  page({
    title: 'Nadi',
    kind: 'notice',
    body: html`<h1>This page cannot be shown</h1>
${issues.map(({ diagnostics }) => html`<p>${diagnostics}</p>`)}
<p><a href="/console">All practitioners</a></p>`,
  })
