package driver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A NotInstalled says that the program of a gateway is not on this machine.
type NotInstalled struct {
	Gateway string
	Program string
	Remedy  string // of the manifest; may be empty
}

func (e *NotInstalled) Error() string {
	if e.Remedy == "" {
		return fmt.Sprintf("gateway %s: its program %s is not on this machine", e.Gateway, e.Program)
	}
	return fmt.Sprintf("gateway %s: its program %s is not on this machine; %s", e.Gateway, e.Program, e.Remedy)
}

// sbin is where daemons live that are not in everybody's PATH.
var sbin = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// Locate finds the gateway's program: binary when it is given (a path), else the
// manifest's, whose name without a slash is looked for in PATH and where daemons
// live. The path is absolute. The error is *NotInstalled when the manifest's
// program is not there.
func (m *Manifest) Locate(binDir, binary string) (string, error) {
	if binary != "" {
		path, err := filepath.Abs(binary)
		if err != nil {
			return "", err
		}
		return path, m.executable(path)
	}
	v := Sample()
	v.Bin, v.Binary = binDir, ""
	p, err := m.Render(v)
	if err != nil {
		return "", err
	}
	name := p.Binary
	if name == "" {
		name = p.Argv[0]
	}
	if !strings.ContainsRune(name, '/') {
		for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), sbin...) {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
				return path, nil
			}
		}
		return "", &NotInstalled{m.Name, name, m.Install}
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if err = m.executable(path); errors.Is(err, fs.ErrNotExist) {
		return "", &NotInstalled{m.Name, name, m.Install}
	}
	return path, err
}

func (m *Manifest) executable(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("program of gateway %s: %w", m.Name, err)
	}
	if st.IsDir() || st.Mode()&0o111 == 0 {
		return fmt.Errorf("program of gateway %s: %s cannot be executed", m.Name, path)
	}
	return nil
}
