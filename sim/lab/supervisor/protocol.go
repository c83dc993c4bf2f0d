package supervisor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// Limits of the conversation.
const (
	maxRequest     = 1 << 20 // bytes
	requestTimeout = 5 * time.Second
	execFiles      = 3 // stdin, stdout, stderr travel with a request to exec
)

// What a client can ask for. One connection carries one request.
const (
	verbStatus  = "status"
	verbExec    = "exec"
	verbDown    = "down"
	verbInject  = "inject"
	verbHeal    = "heal"
	verbFaults  = "faults"
	verbCapture = "capture"
)

// A request is one line of JSON from the client.
type request struct {
	Verb  string            `json:"verb"`
	Node  topology.Ref      `json:"node,omitempty"`
	Path  string            `json:"path,omitempty"` // exec: absolute
	Args  []string          `json:"args,omitempty"`
	Env   map[string]string `json:"env,omitempty"`
	Dir   string            `json:"dir,omitempty"`
	Fault json.RawMessage   `json:"fault,omitempty"` // inject: as fault.Encode writes it
	IDs   []string          `json:"ids,omitempty"`   // heal; none: all
	// Terminal says that the file that comes first with exec is a terminal for the
	// command alone.
	Terminal bool            `json:"terminal,omitempty"`
	Capture  *CaptureOptions `json:"capture,omitempty"`
}

// A message is what a client sends while a command runs.
type message struct {
	Signal int `json:"signal"`
}

// A reply is the supervisor's last line on a connection.
type reply struct {
	Error string `json:"error,omitempty"`
	Input bool   `json:"input,omitempty"` // the error is the user's
	// Unavailable says that the error is the lab's, or the machine's.
	Unavailable bool              `json:"unavailable,omitempty"`
	Status      *lab.Status       `json:"status,omitempty"`
	Code        int               `json:"code,omitempty"`
	Faults      []lab.FaultStatus `json:"faults,omitempty"`
	// Lacking says of kinds of faults why the lab cannot have them.
	Lacking map[string]string `json:"lacking,omitempty"`
	Capture *lab.Captured     `json:"capture,omitempty"`
}

// An event is what the supervisor tells the process that launched it.
type event struct {
	Step        *lab.Step       `json:"step,omitempty"`
	Ready       bool            `json:"ready,omitempty"`
	Error       string          `json:"error,omitempty"`
	Unavailable bool            `json:"unavailable,omitempty"`
	Said        json.RawMessage `json:"said,omitempty"` // by the job
	Done        *done           `json:"done,omitempty"` // the job
}

// done is the end of a job.
type done struct {
	Code int  `json:"code"`
	Kept bool `json:"kept,omitempty"` // the lab stays up
}

// An order is what a supervisor is started with.
type order struct {
	Entry  Entry           `json:"entry"`
	Plan   *topology.Plan  `json:"plan"`
	BinDir string          `json:"bin_dir"`
	Job    json.RawMessage `json:"job,omitempty"`
}

// sendRequest writes a request and the files that go with it.
func sendRequest(c *net.UnixConn, r request, files ...*os.File) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("ask supervisor: %w", err)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	b = append(b, '\n')
	n, _, err := c.WriteMsgUnix(b, rights, nil)
	if err == nil && n < len(b) {
		_, err = c.Write(b[n:])
	}
	if err != nil {
		return fmt.Errorf("ask supervisor: %w", err)
	}
	return nil
}

// readRequest reads a request and the files that came with it. The rest is what
// was read beyond it.
func readRequest(c *net.UnixConn) (r request, files []*os.File, rest []byte, err error) {
	if err := c.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return r, nil, nil, err
	}
	var line []byte
	buf, oob := make([]byte, 64<<10), make([]byte, unix.CmsgSpace(4*execFiles))
	for {
		n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
		got, ferr := receivedFiles(oob[:oobn])
		files = append(files, got...)
		if err = errors.Join(err, ferr); err == nil && n == 0 {
			err = errors.New("connection ended")
		}
		if err != nil {
			closeAll(files)
			return r, nil, nil, fmt.Errorf("read request: %w", err)
		}
		line = append(line, buf[:n]...)
		if whole, after, ok := bytes.Cut(line, []byte("\n")); ok {
			if err := json.Unmarshal(whole, &r); err != nil {
				closeAll(files)
				return r, nil, nil, fmt.Errorf("read request: %w", err)
			}
			return r, files, after, c.SetReadDeadline(time.Time{})
		}
		if len(line) > maxRequest {
			closeAll(files)
			return r, nil, nil, fmt.Errorf("read request: longer than %d bytes", maxRequest)
		}
	}
}

// receivedFiles takes the descriptors out of a control message.
func receivedFiles(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // another kind of message
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
