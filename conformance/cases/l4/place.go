package l4

import (
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// caseTime is the time of a case that breaks something: each wait in it has a
// bound of its own.
const caseTime = 90 * time.Second

// region is what cases of this profile ask of their place; those that break
// something ask for more.
var (
	region = []spec.Capability{spec.Region, spec.EBPF}
	faulty = []spec.Capability{spec.Region, spec.EBPF, spec.Faults, spec.Control}
)
