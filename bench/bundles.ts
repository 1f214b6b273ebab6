/**
 * Transaction Bundles for the bulk load: Synthea's where they are at hand, else ours of the same make; repeated with fresh identifiers.
 * https://synthetichealth.github.io/synthea/
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { below, seeded, uuid } from './random.ts'
import { recordBundle } from './record-bundle.ts'

/** A Bundle whose identifiers can be replaced. `parts` has one piece of text more than `names`; a name is what stood between two. */
export interface Template {
  types: readonly string[]
  parts: readonly string[]
  names: readonly string[]
}

/** UUIDs, and the identifiers that Synthea makes: social security, driving licence and passport numbers. */
const IDENTIFIER =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|"999-\d\d-\d{4}"|"S999\d{5}"|"X\d{8}X"/g

/** Returns a template of a Bundle in JSON; white space between its tokens is dropped, all else stays as written, numbers too. */
export function templateOf(text: string): Template {
  const bundle = JSON.parse(text) as { entry: { resource: { resourceType: string } }[] }
  const compact = text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, token => (token[0] === '"' ? token : ''))
  return {
    types: bundle.entry.map(({ resource }) => resource.resourceType),
    parts: compact.split(IDENTIFIER),
    names: compact.match(IDENTIFIER) ?? [],
  }
}

/** Returns the Bundle with fresh identifiers: the same one for the same name, so that its references still hold. */
export function fresh({ parts, names }: Template, random: () => number): string {
  const replaced = new Map<string, string>()
  let text = parts[0]!
  names.forEach((name, i) => {
    let own = replaced.get(name)
    if (own === undefined) {
      own = name[0] === '"' ? digits(name, random) : uuid(random)
      replaced.set(name, own)
    }
    text += own + parts[i + 1]!
  })
  return text
}

/** The digits after the leading `"999`, `"S999` or `"X`, which tell the kind of number. */
const digits = (name: string, random: () => number) => {
  const kind = /^"(?:S?999|X)/.exec(name)![0]
  return kind + name.slice(kind.length).replace(/\d/g, () => String(below(random, 10)))
}

/** Returns the templates of a folder of *.json and *.json.gz, in the order of their names. */
export function templatesIn(folder: string): Template[] {
  const names = readdirSync(folder).filter(name => /\.json(\.gz)?$/.test(name))
  if (names.length === 0) throw new Error(`There are no bundles in ${folder}.`)
  return names.sort().map(name => {
    const bytes = readFileSync(join(folder, name))
    return templateOf((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'))
  })
}

export interface BundleSource {
  /** For the report. */
  name: string
  templates: readonly Template[]
}

/** Returns the folder's Bundles, or ours where there is no such folder. */
export function bundleSource(folder: string, seed: number): BundleSource {
  if (existsSync(folder)) return { name: 'synthea', templates: templatesIn(folder) }
  const random = seeded(seed)
  const templates = Array.from({ length: 20 }, () => templateOf(JSON.stringify(recordBundle(random))))
  return { name: 'generated', templates }
}
