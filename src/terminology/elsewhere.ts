/**
 * What another terminology server says of codes and value sets that are not held here.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import { isObject, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { type Coded, type Elsewhere, EXPAND_LIMITS } from '../fhir/terminology/expand-work.ts'
import type { Verdict } from '../fhir/terminology/member.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import { isPartOnly } from '../fhir/terminology/stored-expansion.ts'
import type { Remote } from './remote.ts'

/** Returns what the server says of a code; undefined where it does not know either. */
export async function askVerdict(remote: Remote, question: Elsewhere): Promise<Verdict | undefined> {
  const { path, parameters } = codeQuestion(question)
  const said = await remote.ask(path, parameters)
  if ('silent' in said)
    return {
      is: 'unknown',
      why: `the terminology server could not be asked: ${said.silent}`,
      ...(question.system !== undefined && { system: question.system }),
    }
  if ('refused' in said) return undefined
  const out = parametersOf(said.resource)
  const result = out.get('result')?.valueBoolean
  if (result === true) {
    const display = text(out.get('display')?.valueString)
    // Of a coding it was asked about that system, whatever it says.
    const system = question.system ?? text(out.get('system')?.valueUri)
    if (system === undefined) return undefined
    return { is: 'in', system, code: question.code, ...(display !== undefined && { display }) }
  }
  // That the server does not hold the code system either says nothing about the code.
  if (result !== false || isUnknown(out)) return undefined
  return {
    is: 'out',
    why: `the terminology server says: ${text(out.get('message')?.valueString)?.slice(0, 300) ?? 'not valid'}`,
  }
}

const UNKNOWN =
  /\b(?:un(?:known|able|supported|resolved)|not (?:be )?(?:found|supported|known|resolved)|cannot|could ?n[o']t)\b/i
const ABOUT = /code ?system|value ?set|system/i

/** What says that the code is not there, of a system and a value set that are. */
const DEFINITE = /\bnot (?:found|valid) in (?:the )?(?:code ?system|value ?set)|\bunknown code\b(?! ?system)/i
const DOUBT =
  /\b(?:unable|unsupported|unresolved|not (?:supported|resolved)|cannot|could ?n[o']t|definition|fragment|unknown (?:code ?system|value ?set|system))\b/i

function isUnknown(out: ReadonlyMap<string, JsonObject>): boolean {
  if (out.has('x-unknown-system') || out.has('x-caused-by-unknown-system')) return true
  const issues = out.get('issues')?.resource
  if (isObject(issues) && objects(issues.issue).some(({ code }) => code === 'not-found')) return true
  const message = text(out.get('message')?.valueString) ?? ''
  if (DEFINITE.test(message) && !DOUBT.test(message)) return false
  return UNKNOWN.test(message) && ABOUT.test(message)
}

function codeQuestion(question: Elsewhere): { path: string; parameters: JsonObject[] } {
  const { system, code, version } = question
  const coding = {
    ...(system !== undefined && { system }),
    ...(version !== undefined && { version }),
    code,
  }
  if ('valueSet' in question) {
    const parameters = valueSetNamed(question.valueSet)
    const asked =
      system === undefined
        ? [
            { name: 'code', valueCode: code },
            { name: 'inferSystem', valueBoolean: true },
          ]
        : [{ name: 'coding', valueCoding: coding }]
    return { path: 'ValueSet/$validate-code', parameters: [...parameters, ...asked] }
  }
  const { include } = question
  if (include.filter === undefined && include.concept === undefined) {
    const asked: JsonObject[] = [
      { name: 'url', valueUri: system! },
      { name: 'code', valueCode: code },
    ]
    const own = text(include.version) ?? version
    if (own !== undefined) asked.push({ name: 'version', valueString: own })
    return { path: 'CodeSystem/$validate-code', parameters: asked }
  }
  return {
    path: 'ValueSet/$validate-code',
    parameters: [
      { name: 'valueSet', resource: valueSetOf(include) },
      { name: 'coding', valueCoding: coding },
    ],
  }
}

function valueSetNamed(canonical: string): JsonObject[] {
  const bar = canonical.lastIndexOf('|')
  if (bar < 0) return [{ name: 'url', valueUri: canonical }]
  return [
    { name: 'url', valueUri: canonical.slice(0, bar) },
    { name: 'valueSetVersion', valueString: canonical.slice(bar + 1) },
  ]
}

/** The value sets of the include are of this server, and are crossed here. */
const valueSetOf = ({ valueSet: _, ...include }: JsonObject): Resource => ({
  resourceType: 'ValueSet',
  status: 'active',
  compose: { include: [include] },
})

/**
 * Returns all codes that the server lists; undefined where it does not know them.
 *
 * Throws NotListed where it cannot be asked, has more than an expansion takes, or lists a part only.
 */
export async function askCodes(
  remote: Remote,
  what: { valueSet: string } | { include: JsonObject },
  words: string | undefined,
): Promise<readonly Coded[] | undefined> {
  const most = EXPAND_LIMITS.codes
  const parameters: JsonObject[] =
    'valueSet' in what
      ? valueSetNamed(what.valueSet)
      : [{ name: 'valueSet', resource: valueSetOf(what.include) }]
  if (words !== undefined) parameters.push({ name: 'filter', valueString: words })
  parameters.push(
    { name: 'excludeNested', valueBoolean: true },
    { name: 'count', valueInteger: new NumberText(String(most)) },
  )
  const only = 'include' in what ? text(what.include.system) : undefined
  const codes: Coded[] = []
  let seen = 0
  let firstOfAll: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const from = seen === 0 ? [] : [{ name: 'offset', valueInteger: new NumberText(String(seen)) }]
    const said = await remote.ask('ValueSet/$expand', [...parameters, ...from])
    if ('silent' in said)
      throw new NotListed(`the terminology server could not be asked: ${said.silent}`, 'not-found')
    if ('refused' in said || !isObject(said.resource.expansion)) {
      if (page > 0) break
      return undefined
    }
    const { expansion } = said.resource
    const total = expansion.total instanceof NumberText ? Number(expansion.total.text) : undefined
    if ((total ?? 0) > most) throw new NotListed(`it has more than ${most} codes`, 'too-costly')
    const first = text(objects(expansion.contains)[0]?.code)
    // Who does not know offsets sends the first page again.
    if (page > 0 && first === firstOfAll) break
    firstOfAll ??= first
    const own = listedIn(expansion, only, codes)
    seen += own
    if (isPartOnly(expansion) || (total === undefined && seen >= most)) break
    if (total === undefined || seen >= total) return codes
    if (own === 0) break
  }
  throw new NotListed('the terminology server lists a part of its codes only', 'too-costly')
}

/** Pages of one expansion, of servers that send less than is asked for. */
const MOST_PAGES = 20

/** Adds the codes of an expansion, those of one system where that is named, and returns how many entries there were. */
function listedIn({ contains }: JsonObject, only: string | undefined, codes: Coded[]): number {
  const open = objects(contains)
  for (let at = 0; at < open.length; at++) {
    const entry = open[at]!
    const [system, code] = [text(entry.system), text(entry.code)]
    if (system !== undefined && code !== undefined && (only === undefined || system === only)) {
      const [version, display] = [text(entry.version), text(entry.display)]
      codes.push({
        system,
        code,
        ...(version !== undefined && { version }),
        ...(display !== undefined && { display }),
        entry: { ...entry, contains: undefined },
      })
    }
    for (const below of objects(entry.contains)) open.push(below)
  }
  return open.length
}

/** Returns the parameters by name; of several of one name the first. */
export function parametersOf(resource: Resource): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>()
  for (const one of objects(resource.parameter)) {
    const name = text(one.name)
    if (name !== undefined && !found.has(name)) found.set(name, one)
  }
  return found
}
