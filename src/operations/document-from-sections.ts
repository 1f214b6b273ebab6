/** `$document-from-sections`, an operation of this server: a document of plain JSON sections and of files. profiles/operations/ */
import type { Context } from '../context.ts'
import { type File, fileOf } from '../documents/sections/files.ts'
import { documentFromSections } from '../documents/sections/from-sections.ts'
import { answerOf, checkPersist, LEAVING } from './document-answer.ts'
import { type Answer, type Call, type Operation, textOf } from './operation.ts'

export const sectionsDocument: Operation = {
  name: 'document-from-sections',
  definition: 'urn:nadi:operation:document-from-sections',
  types: ['Bundle'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    { name: 'sections', type: 'string', min: 1, max: 1 },
    { name: 'caseType', type: 'string', min: 0, max: 1 },
    { name: 'patient', type: 'uri', min: 0, max: 1 },
    { name: 'practitioner', type: 'uri', min: 0, max: '*' },
    { name: 'encounter', type: 'uri', min: 0, max: 1 },
    { name: 'custodian', type: 'uri', min: 0, max: 1 },
    { name: 'date', type: 'dateTime', min: 0, max: 1 },
    { name: 'title', type: 'string', min: 0, max: 1 },
    { name: 'file', type: 'Resource', min: 0, max: '*', resourceTypes: ['Binary'] },
    ...LEAVING,
  ],
  run: fromSections,
}

async function fromSections(ctx: Context, call: Call): Promise<Answer> {
  checkPersist(call)
  const given = (name: string): object => {
    const text = textOf(call, name)
    return text === undefined ? {} : { [name]: text }
  }
  const built = await documentFromSections(ctx, {
    sections: textOf(call, 'sections')!,
    ...given('caseType'),
    ...given('patient'),
    ...given('encounter'),
    ...given('custodian'),
    ...given('date'),
    ...given('title'),
    practitioners: call.texts.get('practitioner') ?? [],
    files: filesOf(call),
  })
  return answerOf(ctx, call, built, built.made)
}

const filesOf = (call: Call): File[] =>
  (call.trees.get('file') ?? []).map(({ contentType, data }, index) =>
    fileOf(
      typeof data === 'string' ? data : '',
      `file[${index}]`,
      typeof contentType === 'string' ? contentType : undefined,
    ),
  )
