package driver

import (
	"fmt"

	"github.com/unilb/unilb/conformance/model"
)

// An Answer says whether a driver's templates can express something.
type Answer struct {
	What string
	Err  error // nil: they can
}

// Expresses asks the templates of a driver of dialect static what they can
// express. It says nothing about whether the gateway then does it.
func (m *Manifest) Expresses() ([]Answer, error) {
	p, err := m.sampleProcess()
	if err != nil {
		return nil, err
	}
	var out []Answer
	for _, try := range model.Tries() {
		objects, err := model.Build(1, try.Objects)
		if err != nil {
			return nil, fmt.Errorf("try %q: %w", try.What, err)
		}
		objects, _ = objects.In(p.Dir)
		_, err = p.Configure(objects)
		out = append(out, Answer{try.What, err})
	}
	return out, nil
}

// SampleFiles are the configuration files for one route to one target, on a node
// that does not exist.
func (m *Manifest) SampleFiles() (*Rendered, error) {
	p, err := m.sampleProcess()
	if err != nil {
		return nil, err
	}
	return p.Configure(model.Minimal())
}

func (m *Manifest) sampleProcess() (*Process, error) {
	v := Sample()
	if !m.ListenTLS {
		v.ListenTLS = nil
	}
	return m.Render(v)
}
