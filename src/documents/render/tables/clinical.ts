/** Conditions, allergies, procedures, immunizations, family history and what was asked for. https://hl7.org/fhir/R4/clinicalsummary-module.html */
import type { JsonObject } from '../../../fhir/json.ts'
import { isDiagnosis } from '../../columns.ts'
import { type Reading, referencesText, referenceText, subject } from '../reading.ts'
import { type Block, cell, type Row, table } from '../sheet.ts'
import { all, choice, isTrue, joined, one, text, texts } from '../tree.ts'
import { dateText, timeText } from '../when.ts'
import {
  capital,
  codeWords,
  conceptsText,
  conceptText,
  notesText,
  quantityText,
  valueText,
} from '../words.ts'

const titles = (...all: string[]): { title: string }[] => all.map(title => ({ title }))

const choiceText = ({ zone }: Reading, of: JsonObject, name: string): string | undefined => {
  const found = choice(of, name)
  return found && valueText(found[0], found[1], zone)
}

export const conditions = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Condition', 'Kind', 'State', 'Severity', 'Since', 'Until', 'Remarks'),
    resources.map(each => ({
      cells: [
        subject(each, conceptText(one(each, 'code')), conceptsText(each, 'bodySite')),
        cell(isDiagnosis(each) ? 'Diagnosis' : undefined),
        cell(codeWords(conceptText(one(each, 'clinicalStatus')))),
        cell(conceptText(one(each, 'severity'))),
        cell(choiceText(reading, each, 'onset')),
        cell(choiceText(reading, each, 'abatement')),
        cell(notesText(each)),
      ],
    })),
  )

export const allergies = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Allergy', 'Kind', 'Risk', 'Reactions', 'State', 'Since', 'Remarks'),
    resources.map(each => ({
      cells: [
        subject(each, conceptText(one(each, 'code'))),
        cell(joined([codeWords(text(each, 'type')), joined(texts(each, 'category'))])),
        text(each, 'criticality') === 'high'
          ? [[{ text: 'High', tone: 'alert' as const, bold: true }]]
          : cell(codeWords(text(each, 'criticality'))),
        cell(
          ...all(each, 'reaction').map(reaction =>
            joined([
              conceptText(one(reaction, 'substance')),
              conceptsText(reaction, 'manifestation'),
              text(reaction, 'severity'),
              text(reaction, 'description'),
            ]),
          ),
        ),
        cell(codeWords(conceptText(one(each, 'clinicalStatus')))),
        cell(choiceText(reading, each, 'onset') ?? dateText(text(each, 'recordedDate'), reading.zone)),
        cell(notesText(each)),
      ],
    })),
  )

export const procedures = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Procedure', 'When', 'Reason', 'Outcome', 'By', 'Remarks'),
    resources.map(each => ({
      cells: [
        subject(each, conceptText(one(each, 'code')), conceptsText(each, 'bodySite')),
        cell(choiceText(reading, each, 'performed')),
        cell(conceptsText(each, 'reasonCode') ?? referencesText(reading, all(each, 'reasonReference'), each)),
        cell(conceptText(one(each, 'outcome')), conceptsText(each, 'complication')),
        cell(
          referencesText(
            reading,
            all(each, 'performer').flatMap(performer => all(performer, 'actor')),
            each,
          ),
        ),
        cell(conceptsText(each, 'followUp'), notesText(each)),
      ],
    })),
  )

export const immunizations = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Vaccine', 'Date', 'Dose', 'Lot', 'Expires', 'Maker', 'Where on the body', 'Given by', 'Remarks'),
    resources.map(each => {
      const protocol = one(each, 'protocolApplied')
      const dose = protocol && choice(protocol, 'doseNumber')
      const series = protocol && choice(protocol, 'seriesDoses')
      const count = dose && valueText(dose[0], dose[1], reading.zone)
      const of = series && valueText(series[0], series[1], reading.zone)
      return {
        cells: [
          subject(each, conceptText(one(each, 'vaccineCode')), conceptsText(protocol, 'targetDisease')),
          cell(choiceText(reading, each, 'occurrence')),
          cell(
            count === undefined || of === undefined ? count : `${count} of ${of}`,
            quantityText(one(each, 'doseQuantity')),
          ),
          cell(text(each, 'lotNumber')),
          cell(dateText(text(each, 'expirationDate'), reading.zone)),
          cell(referenceText(reading, one(each, 'manufacturer'), each)),
          cell(joined([conceptText(one(each, 'site')), conceptText(one(each, 'route'))])),
          cell(
            referencesText(
              reading,
              all(each, 'performer').flatMap(performer => all(performer, 'actor')),
              each,
            ),
          ),
          cell(notesText(each)),
        ],
      }
    }),
  )

export const recommendations = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Vaccine due', 'When', 'State', 'Remarks'),
    resources.flatMap(resource =>
      all(resource, 'recommendation').map(
        (each): Row => ({
          cells: [
            subject(resource, conceptsText(each, 'vaccineCode') ?? conceptText(one(each, 'targetDisease'))),
            cell(
              ...all(each, 'dateCriterion').map(date =>
                joined([conceptText(one(date, 'code')), timeText(text(date, 'value'), reading.zone)], ': '),
              ),
            ),
            cell(conceptText(one(each, 'forecastStatus')), conceptsText(each, 'forecastReason')),
            cell(text(each, 'description')),
          ],
        }),
      ),
    ),
  )

export const familyHistory = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Relative', 'Condition', 'From age', 'Outcome', 'Remarks'),
    resources.flatMap(resource => {
      const relative = subject(
        resource,
        capital(conceptText(one(resource, 'relationship'))) ?? text(resource, 'name'),
        resource.deceasedBoolean === true ? 'deceased' : undefined,
      )
      const found = all(resource, 'condition')
      if (found.length === 0) return [{ cells: [relative, [], [], [], cell(notesText(resource))] }]
      return found.map(
        (each, i): Row => ({
          cells: [
            i === 0 ? relative : [],
            cell(conceptText(one(each, 'code'))),
            cell(choiceText(reading, each, 'onset')),
            cell(
              conceptText(one(each, 'outcome')),
              isTrue(each, 'contributedToDeath') ? 'contributed to death' : undefined,
            ),
            cell(notesText(each), i === 0 ? notesText(resource) : undefined),
          ],
        }),
      )
    }),
  )

export const requests = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    titles('Advised', 'Kind', 'Priority', 'When', 'Reason', 'To', 'Remarks'),
    resources.map(each => ({
      cells: [
        subject(
          each,
          conceptText(one(each, 'code')) ?? conceptsText(each, 'category'),
          conceptsText(each, 'orderDetail'),
        ),
        cell(conceptsText(each, 'category')),
        text(each, 'priority') === undefined || text(each, 'priority') === 'routine'
          ? cell(codeWords(text(each, 'priority')))
          : [
              [
                {
                  text: codeWords(text(each, 'priority'))!,
                  tone: 'alert' as const,
                  bold: true,
                },
              ],
            ],
        cell(choiceText(reading, each, 'occurrence')),
        cell(conceptsText(each, 'reasonCode') ?? referencesText(reading, all(each, 'reasonReference'), each)),
        cell(
          referencesText(reading, all(each, 'performer'), each) ?? conceptText(one(each, 'performerType')),
        ),
        cell(text(each, 'patientInstruction'), notesText(each)),
      ],
    })),
  )
