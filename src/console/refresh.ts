/** The one script of the console: it puts what is new in the place of what is shown, and says so when the server cannot be reached. */

export const REFRESH = `'use strict'
{
  const every = Number(document.body.dataset.every) * 1000
  const stale = document.getElementById('stale')
  const PATIENCE = 8000
  const clock = at => at.toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' })
  let fresh = new Date()

  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
      if (!answer.ok) throw new Error(String(answer.status))
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      if (page.querySelector('main') === null) throw new Error('no page')
      for (const part of ['nav', 'main']) {
        const next = page.querySelector(part)
        const shown = document.querySelector(part)
        if (next?.outerHTML !== shown?.outerHTML) shown.replaceWith(document.importNode(next, true))
      }
      document.title = page.title
      fresh = new Date()
      stale.hidden = true
    } catch {
      // The server is away for a moment, or for long: what is shown stays, and says how old it is.
      stale.querySelector('span').textContent = clock(fresh)
      stale.hidden = false
    }
    setTimeout(look, every)
  }
  setTimeout(look, every)
}
`
