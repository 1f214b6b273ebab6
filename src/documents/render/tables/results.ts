/** Observations and diagnostic reports: values, what is normal, and what is not. https://hl7.org/fhir/R4/observation.html */
import type { JsonObject } from '../../../fhir/json.ts'
import { type Reading, referencesText, standingOf, subject } from '../reading.ts'
import {
  type Block,
  type Cell,
  cell,
  checkLength,
  facts,
  type Line,
  lengthOf,
  type Row,
  table,
} from '../sheet.ts'
import { all, choice, joined, known, one, text } from '../tree.ts'
import { timeText } from '../when.ts'
import { conceptsText, conceptText, notesText, quantityText, rangeText, valueText } from '../words.ts'
import { attachments } from './files.ts'

const DEPTH = 4

/** `told`: the time that is said beside the table already. */
export function observations(reading: Reading, resources: readonly JsonObject[], told?: string): Block[] {
  // What is a member of a panel that is shown here stands under it.
  const members = new Set(
    resources.flatMap(each => all(each, 'hasMember').map(member => reading.resolve(member, each))),
  )
  const roots = resources.filter(resource => !members.has(resource))
  const shown = new Set<JsonObject>()
  // Those that are members of each other have no root.
  const rows = [...roots, ...resources].flatMap(resource => rowsOf(reading, resource, 0, shown))
  const columns = ['Test', 'Result', 'Reference range', 'Flag', 'When', 'Remarks'].map(title => ({ title }))
  return table(columns, told === undefined ? rows : untold(rows, told))
}

/** Where all were made at the time that is told, the column says nothing. */
function untold(rows: Row[], told: string): Row[] {
  const times = rows.map(({ cells }) => cells[4]?.[0]?.[0]?.text)
  if (times.some(time => time !== undefined && time !== told)) return rows
  return rows.map(row => ({
    ...row,
    cells: row.cells.map((one, i) => (i === 4 ? [] : one)),
  }))
}

/** `shown`: what stands in the table already; nothing stands in it twice. */
function rowsOf(reading: Reading, resource: JsonObject, depth: number, shown: Set<JsonObject>): Row[] {
  if (depth > DEPTH || shown.has(resource)) return []
  shown.add(resource)
  const { wrong } = standingOf(resource)
  const components = all(resource, 'component')
  const pressure = bloodPressure(components)
  const effective = choice(resource, 'effective')
  const row: Row = {
    cells: [
      indented(subject(resource, conceptText(one(resource, 'code'))), depth),
      pressure === undefined
        ? valueCell(reading, resource, wrong)
        : valueLine(pressure, wrong, flagOf(resource) !== undefined),
      rangeCell(resource),
      flagCell(resource, wrong),
      cell(effective && valueText(effective[0], effective[1], reading.zone)),
      cell(conceptText(one(resource, 'bodySite')), conceptText(one(resource, 'method')), notesText(resource)),
    ],
  }
  const parts = pressure === undefined ? components : []
  const below = parts.map(
    (part): Row => ({
      cells: [
        indented(
          [
            [
              {
                text: conceptText(one(part, 'code')) ?? 'Not named',
                struck: wrong,
              },
            ],
          ],
          depth + 1,
        ),
        valueCell(reading, part, wrong),
        rangeCell(part),
        flagCell(part, wrong),
      ],
    }),
  )
  const members = all(resource, 'hasMember').flatMap(reference => {
    const member = reading.resolve(reference, resource)
    return text(member, 'resourceType') === 'Observation' ? rowsOf(reading, member!, depth + 1, shown) : []
  })
  return [row, ...below, ...members]
}

const indented = (of: Cell, depth: number): Cell =>
  depth === 0
    ? of
    : of.map((each, i) => (i === 0 ? [{ text: `${'\u00a0'.repeat(3 * depth)}` }, ...each] : each))

const valueLine = (text: string, struck: boolean, abnormal: boolean): Cell => [
  [
    {
      text,
      struck,
      ...(abnormal ? { bold: true, tone: 'alert' as const } : {}),
    },
  ],
]

function valueCell({ zone }: Reading, of: JsonObject, wrong: boolean): Cell {
  const value = choice(of, 'value')
  const shown = value && valueText(value[0], value[1], zone)
  if (shown !== undefined) return valueLine(shown, wrong, flagOf(of) !== undefined)
  const absent = conceptText(one(of, 'dataAbsentReason'))
  return absent === undefined ? [] : [[{ text: absent, tone: 'muted' }]]
}

/** Returns systolic over diastolic, as it is said; undefined for what is no blood pressure. */
function bloodPressure(components: readonly JsonObject[]): string | undefined {
  const value = (code: string): JsonObject | undefined =>
    one(
      components.find(part => all(one(part, 'code'), 'coding').some(coding => text(coding, 'code') === code)),
      'valueQuantity',
    )
  const systolic = text(value('8480-6'), 'value')
  const diastolic = value('8462-4')
  // More than the two would be lost in the one line, and so would a flag of one of them.
  if (components.length !== 2 || systolic === undefined || text(diastolic, 'value') === undefined)
    return undefined
  if (components.some(part => flagOf(part) !== undefined)) return undefined
  return `${systolic}/${quantityText(diastolic)}`
}

const rangeCell = (of: JsonObject): Cell =>
  all(of, 'referenceRange').flatMap(range =>
    cell(joined([conceptsText(range, 'appliesTo'), rangeText(range) ?? text(range, 'text')], ': ')),
  )

/** https://hl7.org/fhir/R4/valueset-observation-interpretation.html: what is out of the ordinary. */
const FLAGS: Record<string, string> = {
  A: 'Abnormal',
  AA: 'Critical',
  H: 'High',
  HH: 'Critically high',
  HU: 'Very high',
  L: 'Low',
  LL: 'Critically low',
  LU: 'Very low',
  '<': 'Below the scale',
  '>': 'Above the scale',
  POS: 'Positive',
  DET: 'Detected',
  RR: 'Reactive',
  R: 'Resistant',
  U: 'Worse',
  W: 'Worse',
}

/** Returns how a value is out of its range: as it was judged, else by the only range that it has. */
function flagOf(of: JsonObject): string | undefined {
  const judged = all(of, 'interpretation')
  if (judged.length > 0)
    return joined(
      judged.map(each =>
        all(each, 'coding')
          .map(one => known(FLAGS, text(one, 'code')))
          .find(Boolean),
      ),
    )
  const ranges = all(of, 'referenceRange')
  const [range] = ranges
  const quantity = one(of, 'valueQuantity')
  if (range === undefined || ranges.length > 1 || quantity === undefined) return undefined
  if (text(quantity, 'comparator') !== undefined) return undefined
  if (range.appliesTo !== undefined || range.age !== undefined) return undefined
  const beyond = (bound: JsonObject | undefined, sign: 1 | -1): boolean =>
    bound !== undefined &&
    sameUnit(quantity, bound) &&
    sign * (Number(text(quantity, 'value')) - Number(text(bound, 'value'))) > 0
  if (beyond(one(range, 'high'), 1)) return 'High'
  return beyond(one(range, 'low'), -1) ? 'Low' : undefined
}

const sameUnit = (a: JsonObject, b: JsonObject): boolean => {
  const of = (quantity: JsonObject): string | undefined => text(quantity, 'code') ?? text(quantity, 'unit')
  return of(b) === undefined || of(a) === of(b)
}

function flagCell(of: JsonObject, wrong: boolean): Cell {
  const flag = flagOf(of)
  if (flag !== undefined) return [[{ text: flag, tone: 'alert', bold: true, struck: wrong }]]
  return cell(conceptsText(of, 'interpretation'))
}

/** Returns a report: what and when, its results, its conclusion, images and files. */
export function report(reading: Reading, resource: JsonObject): Block[] {
  const { zone } = reading
  const { wrong, lines } = standingOf(resource)
  const effective = choice(resource, 'effective')
  const examined = effective && valueText(effective[0], effective[1], zone)
  const title: Line = [
    {
      text: conceptText(one(resource, 'code')) ?? 'Report',
      bold: true,
      struck: wrong,
    },
  ]
  const specimens = all(resource, 'specimen').map(reference => {
    const specimen = reading.resolve(reference, resource)
    return joined([
      conceptText(one(specimen, 'type')) ?? text(reference, 'display'),
      timeText(text(one(specimen, 'collection'), 'collectedDateTime'), zone),
    ])
  })
  const results = all(resource, 'result').map(each => reading.resolve(each, resource))
  const missing = all(resource, 'result').filter((_, i) => results[i] === undefined)
  const media = all(resource, 'media').map(each => reading.resolve(one(each, 'link'), resource))
  const blocks: Block[] = [
    { kind: 'text', lines: [title, ...lines] },
    {
      kind: 'facts',
      facts: facts(
        ['Examined', examined],
        ['Reported', timeText(text(resource, 'issued'), zone)],
        ['Specimen', joined(specimens)],
        ['Laboratory', referencesText(reading, all(resource, 'performer'), resource)],
        ['Interpreted by', referencesText(reading, all(resource, 'resultsInterpreter'), resource)],
        ['Kind', conceptsText(resource, 'category')],
      ),
    },
    ...observations(
      reading,
      results.filter(each => text(each, 'resourceType') === 'Observation') as JsonObject[],
      examined,
    ),
    ...cellsAsText(missing.map(each => joined([text(each, 'display'), 'result not in this document'], ': '))),
    ...named('Conclusion', [text(resource, 'conclusion'), conceptsText(resource, 'conclusionCode')]),
    ...media.flatMap(each => (each === undefined ? [] : attachments(reading, each))),
    ...attachments(reading, resource),
  ]
  // Many reports can show the same results.
  reading.reported += lengthOf(blocks)
  checkLength(reading.reported, reading.limits)
  return blocks
}

const cellsAsText = (texts: readonly (string | undefined)[]): Block[] => {
  const lines = cell(...texts)
  return lines.length === 0 ? [] : [{ kind: 'text', lines }]
}

const named = (heading: string, texts: readonly (string | undefined)[]): Block[] => {
  const blocks = cellsAsText(texts)
  return blocks.length === 0 ? [] : [{ kind: 'heading', text: heading }, ...blocks]
}
