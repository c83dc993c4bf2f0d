package topology

import (
	"os"
	"strings"
	"testing"
)

func TestDocumentedFileIsValid(t *testing.T) {
	doc, err := os.ReadFile("../docs/topologies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/topologies.md has no example")
	}
	s, err := Parse("docs/topologies.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range LibraryNames() {
		if !strings.Contains(string(doc), "### "+name+"\n") {
			t.Errorf("docs/topologies.md says nothing about %s", name)
		}
	}
	if n, _ := p.Node("bj/az1/l7-1"); n.Underlay.String() != "10.101.4.3" {
		t.Errorf("bj/az1/l7-1 is %s; docs/topologies.md says 10.101.4.3", n.Underlay)
	}
}
