/**
 * Whether the XHTML of a narrative is well formed, harmless and says something: txt-1 and txt-2.
 * https://hl7.org/fhir/R4/narrative.html#xhtml
 */
import { NotWellFormed, scanXhtml, type Tag } from './narrative-scan.ts'
import { imageFault, linkFault, styleFault, type UrlFault } from './narrative-style.ts'

export interface NarrativeFault {
  severity: 'error' | 'warning'
  rule: 'txt-1' | 'txt-2'
  /** A sentence that says how to mend it. */
  diagnostics: string
}

const XHTML = 'http://www.w3.org/1999/xhtml'
const MOST_FAULTS = 10

const words = (text: string): string[] => text.split(' ')

/** HTML 4.0, chapters 7 to 11 without section 9.4, and 15; with `a` and images. */
const ELEMENTS: ReadonlySet<string> = new Set(
  words(
    'a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ' +
      'kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var',
  ),
)

/** Attributes that every element may have, those of table cells among them. */
const ATTRIBUTES: ReadonlySet<string> = new Set(
  words(
    'abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope span style tabindex title valign width ' +
      'xml:lang xmlns',
  ),
)

const OWN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [
    'a charset coords href hreflang name rel rev shape type',
    'area alt coords href nohref shape',
    'blockquote cite',
    'q cite',
    'img alt border height ismap longdesc src usemap width',
    'map name',
    'pre space',
    'table border cellpadding cellspacing frame rules summary width',
    'td nowrap',
  ].map(line => {
    const [name, ...attributes] = words(line)
    return [name!, new Set(attributes)] as const
  }),
)

const LINKS: ReadonlySet<string> = new Set(['href', 'cite', 'longdesc', 'usemap'])

/** Returns what is wrong with the XHTML of a narrative, at most ten faults in the order of the text. Time is linear in its length. */
export function narrativeFaults(div: string): NarrativeFault[] {
  const faults: NarrativeFault[] = []
  let hasContent = false
  const report = (severity: 'error' | 'warning', diagnostics: string): void => {
    if (faults.length < MOST_FAULTS) faults.push({ severity, rule: 'txt-1', diagnostics })
  }
  try {
    scanXhtml(div, {
      tag: tag => {
        if (tag.depth === 0) checkRoot(tag, report)
        checkTag(tag, report)
        if (tag.name === 'img' && tag.attributes.has('src')) hasContent = true
      },
      text: () => {
        hasContent = true
      },
    })
  } catch (error) {
    if (!(error instanceof NotWellFormed)) throw error
    return [...faults, { severity: 'error', rule: 'txt-1', diagnostics: error.message }]
  }
  if (!hasContent)
    faults.push({
      severity: 'error',
      rule: 'txt-2',
      diagnostics: 'The narrative says nothing: write some text or leave it out.',
    })
  return faults
}

type Report = (severity: 'error' | 'warning', diagnostics: string) => void

function checkRoot({ name, attributes }: Tag, report: Report): void {
  if (name !== 'div') report('error', `The narrative is one <div> and not <${name.slice(0, 20)}>.`)
  else if (attributes.get('xmlns') !== XHTML)
    report('error', `The <div> of the narrative needs xmlns="${XHTML}".`)
}

function checkTag({ name, attributes }: Tag, report: Report): void {
  if (!ELEMENTS.has(name)) {
    const lower = name.toLowerCase()
    if (ELEMENTS.has(lower)) report('error', `Write <${name}> in small letters: <${lower}>.`)
    else
      report(
        'error',
        `Remove <${name.slice(0, 20)}>: narratives have the text, list, table and image elements of HTML 4 only.`,
      )
  }
  for (const [attribute, value] of attributes) checkAttribute(name, attribute, value, report)
}

function checkAttribute(element: string, attribute: string, value: string, report: Report): void {
  const place = `The attribute ${attribute.slice(0, 20)} of <${element.slice(0, 20)}>`
  if (!ATTRIBUTES.has(attribute) && OWN.get(element)?.has(attribute) !== true) {
    const scripted = attribute.toLowerCase().startsWith('on')
    report(
      'error',
      `${place} is not allowed in narratives${scripted ? ', which run no script' : ''}: remove it.`,
    )
    return
  }
  if (attribute === 'xmlns') {
    if (value !== XHTML) report('error', `${place} has to be ${XHTML}.`)
    return
  }
  let found: UrlFault | undefined
  if (LINKS.has(attribute)) found = linkFault(value)
  else if (attribute === 'src') found = imageFault(value)
  else if (attribute === 'style') found = styleFault(value)
  if (found !== undefined) report(found.severity, `${place} ${found.text}.`)
}

/** Returns the first error of a narrative, as a sentence that says how to mend it; undefined for none. */
export function htmlFault(div: string): string | undefined {
  return narrativeFaults(div).find(({ severity }) => severity === 'error')?.diagnostics
}
