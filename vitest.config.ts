import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** A minute and more each: begun last, one of them would run alone for its whole length. */
const LONG = [
  'rest/r4-examples',
  'search/d1',
  'rest/custom-params',
  'search/fuzz',
  'rest/node-mongodb',
  'search/mongodb',
  'search/agree-d1',
  'search/paging-d1',
  'documents/mutations-hapi',
  'profiles/abdm-hapi',
  'rest/worker',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`))
      return at < 0 ? LONG.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
})
