/**
 * Regular expressions whose cost is bounded by pattern times text: an automaton that is walked, not a search that turns back.
 * https://hl7.org/fhir/R4/valueset-filter-operator.html
 */

/** One step of a chain: a character of a set, once; or any number of times, or perhaps. */
interface Step {
  takes(character: string): boolean
  repeats: boolean
  optional: boolean
}

/** Steps of one pattern, repetitions written out; characters of a text that are looked at. */
const MOST_STEPS = 256
const MOST_TEXT = 1024

const ATOM = /\[(?:\\.|[^\]\\])+\]|\\[dDwWsS.*+?()[\]{}|^$\\/-]|[^\\[\](){}*+?|^$]/uy
const REPEAT = /\*|\+|\?|\{([0-9]{1,3})(,([0-9]{0,3}))?\}/y

/**
 * Returns a test of whole texts, as XML Schema and FHIR have it; `^` and `$` at the ends change nothing. It knows characters, sets, `.`, `*`,
 * `+`, `?`, `{n,m}` and `|` outside groups; `spend` is told the steps taken. Undefined for a pattern with anything else.
 */
export function compileRegex(
  pattern: string,
): ((text: string, spend?: (steps: number) => void) => boolean) | undefined {
  const chains: Step[][] = []
  for (const branch of branches(pattern)) {
    const chain = readChain(branch.replace(/^\^/, '').replace(/(?<!\\)\$$/, ''))
    if (chain === undefined) return undefined
    chains.push(chain)
  }
  if (chains.reduce((sum, chain) => sum + chain.length, 0) > MOST_STEPS) return undefined
  return (text, spend = () => {}) =>
    text.length <= MOST_TEXT && chains.some(chain => walk(chain, text, spend))
}

/** Returns what stands between the bars that are in no set. */
function branches(pattern: string): string[] {
  const parts = ['']
  let inSet = false
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    if (character === '|' && !inSet) {
      parts.push('')
      continue
    }
    parts[parts.length - 1] += character
    if (character === '\\') parts[parts.length - 1] += pattern[++at] ?? ''
    else if (character === '[') inSet = true
    else if (character === ']') inSet = false
  }
  return parts
}

function readChain(branch: string): Step[] | undefined {
  const chain: Step[] = []
  let at = 0
  while (at < branch.length) {
    ATOM.lastIndex = at
    const atom = ATOM.exec(branch)?.[0]
    if (atom === undefined) return undefined
    at += atom.length
    const takes = setOf(atom)
    if (takes === undefined) return undefined
    REPEAT.lastIndex = at
    const repeat = REPEAT.exec(branch)
    at += repeat?.[0].length ?? 0
    const [least, most] = times(repeat)
    if (most < least || chain.length + Math.max(least, Number.isFinite(most) ? most : 0) > MOST_STEPS)
      return undefined
    for (let n = 0; n < least; n++) chain.push({ takes, repeats: false, optional: false })
    if (most === Number.POSITIVE_INFINITY) chain.push({ takes, repeats: true, optional: true })
    else for (let n = least; n < most; n++) chain.push({ takes, repeats: false, optional: true })
  }
  return chain
}

function times(repeat: RegExpExecArray | null): [least: number, most: number] {
  if (repeat === null) return [1, 1]
  const [whole, least, range, most] = repeat
  if (whole === '*') return [0, Number.POSITIVE_INFINITY]
  if (whole === '+') return [1, Number.POSITIVE_INFINITY]
  if (whole === '?') return [0, 1]
  if (range === undefined) return [Number(least), Number(least)]
  return [Number(least), most === undefined || most === '' ? Number.POSITIVE_INFINITY : Number(most)]
}

function setOf(atom: string): ((character: string) => boolean) | undefined {
  if (atom === '.') return () => true
  if (atom[0] !== '[' && atom[0] !== '\\') return character => character === atom
  try {
    // A set of characters takes one, and has nothing to turn back to.
    const set = new RegExp(`^${atom}$`, 'u')
    return character => set.test(character)
  } catch {
    return undefined
  }
}

/** Walks all ways through the chain at once: `here` holds the places that the characters so far lead to. */
function walk(chain: readonly Step[], text: string, spend: (steps: number) => void): boolean {
  const reach = (places: Set<number>): Set<number> => {
    for (const place of places) if (chain[place]?.optional) places.add(place + 1)
    return places
  }
  let here = reach(new Set([0]))
  for (const character of text) {
    spend(here.size)
    const next = new Set<number>()
    for (const place of here) {
      const step = chain[place]
      if (step?.takes(character)) next.add(step.repeats ? place : place + 1)
    }
    if (next.size === 0) return false
    here = reach(next)
  }
  return here.has(chain.length)
}
