/** What every page of the console has: its head, its frame, and what a browser may do with it. */
import { html } from 'hono/html'

/** What `html` returns. */
export type Markup = ReturnType<typeof html>

export interface Page {
  title: string
  /** Seconds after which the page looks for news. */
  every?: number
  /** `display` fills a screen on the wall. */
  kind: 'list' | 'display' | 'notice'
  /** Beside the heading: links to other days. They are not printed. */
  nav?: Markup
  body: Markup
}

/** Nothing but our own stylesheet and script; nobody may frame a page with names of patients. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
}

/** Returns the whole page. Everything in it is escaped but what is markup itself. */
export const page = ({ title, every, kind, nav, body }: Page): Markup => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/console/style.css">
${
  every === undefined
    ? ''
    : html`<noscript><meta http-equiv="refresh" content="${every}"></noscript>
<script src="/console/refresh.js" defer></script>`
}
</head>
<body class="${kind}"${every === undefined ? '' : html` data-every="${every}"`}>
<p id="stale" role="status" hidden>No connection. What you see is of <span></span>.</p>
${nav ?? ''}
<main>
${body}
</main>
</body>
</html>
`
