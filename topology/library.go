package topology

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Library is the topologies that come with the testbed, library/<name>.yaml.
//
//go:embed library/*.yaml
var Library embed.FS

// LibraryNames returns the names of the topologies in Library, sorted.
func LibraryNames() []string {
	entries, err := Library.ReadDir("library")
	if err != nil {
		return nil // the folder is compiled in
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// IsFile says whether a user who names a topology means a file, not one of Library.
func IsFile(name string) bool { return strings.ContainsAny(name, "/.") }

// LoadLibrary loads the topology with the name from Library. Overrides are as
// for Parse. A name that is not there is an *UnknownError.
func LoadLibrary(name string, overrides ...string) (*Spec, error) {
	if names := LibraryNames(); !slices.Contains(names, name) {
		return nil, &UnknownError{Name: name, Known: names}
	}
	return Load(Library, path.Join("library", name+".yaml"), overrides...)
}

// An UnknownError says that Library has no topology of the name.
type UnknownError struct {
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no topology %q%s", shorten(e.Name), didYouMean(e.Name, e.Known))
}
