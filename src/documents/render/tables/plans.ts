/** Care plans, goals and appointments. https://hl7.org/fhir/R4/careprovision-module.html */
import type { JsonObject } from '../../../fhir/json.ts'
import { labelOf, type Reading, referencesText, referenceText, standingOf, subject } from '../reading.ts'
import { type Block, cell, facts, type Row, table } from '../sheet.ts'
import { all, choice, joined, one, text, texts } from '../tree.ts'
import { dateText, periodText, timeText } from '../when.ts'
import { codeWords, conceptsText, conceptText, notesText, valueText } from '../words.ts'

const titles = (...all: string[]): { title: string }[] => all.map(title => ({ title }))

export function carePlan(reading: Reading, resource: JsonObject): Block[] {
  const { wrong, lines } = standingOf(resource)
  const name = text(resource, 'title') ?? conceptsText(resource, 'category') ?? 'Care plan'
  return [
    {
      kind: 'text',
      lines: [[{ text: name, bold: true, struck: wrong }], ...lines, ...cell(text(resource, 'description'))],
    },
    {
      kind: 'facts',
      facts: facts(
        ['State', codeWords(text(resource, 'status'))],
        ['Time', periodText(one(resource, 'period'), reading.zone)],
        ['For', referencesText(reading, all(resource, 'addresses'), resource)],
        ['Goals', referencesText(reading, all(resource, 'goal'), resource)],
        ['Remarks', cell(notesText(resource))],
      ),
    },
    ...table(
      titles('What is planned', 'When', 'By', 'State', 'Remarks'),
      all(resource, 'activity').map(activity => activityRow(reading, activity, resource)),
    ),
  ]
}

function activityRow(reading: Reading, activity: JsonObject, plan: JsonObject): Row {
  const detail = one(activity, 'detail')
  const target = reading.resolve(one(activity, 'reference'), plan)
  const of = detail ?? target ?? {}
  const scheduled = choice(of, 'scheduled')
  const name =
    conceptText(one(detail, 'code')) ??
    text(one(activity, 'reference'), 'display') ??
    (target && labelOf(reading, target)) ??
    text(detail, 'description')
  const timing = one(detail, 'scheduledTiming')
  return {
    cells: [
      subject(of, name, name === text(detail, 'description') ? undefined : text(detail, 'description')),
      cell(
        scheduled &&
          (valueText(scheduled[0], scheduled[1], reading.zone) ?? conceptText(one(timing, 'code'))),
      ),
      cell(referencesText(reading, all(detail, 'performer'), plan)),
      cell(codeWords(text(of, 'status'))),
      cell(
        joined(
          all(activity, 'progress').map(note => text(note, 'text')),
          '\n',
        ),
        notesText(of),
      ),
    ],
  }
}

export const goals = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Goal', 'State', 'By when', 'Remarks'),
    resources.map(each => ({
      cells: [
        subject(each, conceptText(one(each, 'description'))),
        cell(codeWords(text(each, 'lifecycleStatus')), conceptText(one(each, 'achievementStatus'))),
        cell(...all(each, 'target').map(target => dateText(text(target, 'dueDate'), reading.zone))),
        cell(notesText(each)),
      ],
    })),
  )

export const appointments = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('When', 'What for', 'With', 'Where', 'State', 'Remarks'),
    resources.map(each => {
      const actors = all(each, 'participant').flatMap(participant => all(participant, 'actor'))
      const typed = (types: readonly string[]): JsonObject[] =>
        actors.filter(actor => types.includes(typeOf(reading, actor, each)))
      const when = timeText(text(each, 'start'), reading.zone)
      return {
        cells: [
          subject(each, when ?? periodText(one(each, 'requestedPeriod'), reading.zone) ?? 'To be agreed'),
          cell(
            joined([
              conceptsText(each, 'serviceType') ?? conceptText(one(each, 'appointmentType')),
              conceptsText(each, 'reasonCode') ?? text(each, 'description'),
            ]),
          ),
          cell(
            referencesText(
              reading,
              typed(['Practitioner', 'PractitionerRole', 'HealthcareService', '']),
              each,
            ),
          ),
          cell(referencesText(reading, typed(['Location']), each)),
          cell(codeWords(text(each, 'status'))),
          cell(text(each, 'patientInstruction'), text(each, 'comment')),
        ],
      }
    }),
  )

function typeOf(reading: Reading, reference: JsonObject, from: JsonObject): string {
  return (
    text(reading.resolve(reference, from), 'resourceType') ??
    text(reference, 'type') ??
    /([A-Z][A-Za-z]+)\/[^/]+$/.exec(text(reference, 'reference') ?? '')?.[1] ??
    ''
  )
}

/** Returns a row for each visit. */
export const encounters = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Visit', 'When', 'Reason', 'Where', 'State'),
    resources.map(each => ({
      cells: [
        subject(each, conceptsText(each, 'type') ?? text(one(each, 'class'), 'display') ?? 'Visit'),
        cell(periodText(one(each, 'period'), reading.zone)),
        cell(conceptsText(each, 'reasonCode')),
        cell(referenceText(reading, one(each, 'serviceProvider'), each)),
        cell(codeWords(joined(texts(each, 'status')))),
      ],
    })),
  )
