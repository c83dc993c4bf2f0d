package proc

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// DefaultMaxLog is the size in bytes beyond which a log loses its older half.
const DefaultMaxLog = 32 << 20

// A Spec says what to run. Name, NS and Path are required.
type Spec struct {
	Name string // unique in the Runner's life among running processes, e.g. "bj/az1/l7-1/l7gw"; names the log
	NS   *netns.NS
	Path string
	Args []string
	Env  map[string]string // beside PATH, HOME, TMPDIR and Go's own settings
	Dir  string            // working directory; "": that of this process
	// Ready is the URL that answers 200 when the process serves, or
	// "tcp://address:port" that then takes connections, asked from its namespace.
	// Without it the process tells by sd_notify.
	Ready string
	// Stdin, Stdout and Stderr replace the log and /dev/null. A process that has
	// them inherits the environment of this process.
	Stdin, Stdout, Stderr *os.File
	// Terminal says that Stdin is a terminal that no session has yet: the process
	// leads a session with it, so that a shell can control its jobs.
	Terminal bool
}

// A Runner starts processes.
type Runner struct {
	logs, sockets string
	maxLog        int64
	thread        *netns.Thread

	mu      sync.Mutex
	running map[*Process]struct{}
	serial  int
	stop    chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
}

// NewRunner makes a Runner that keeps logs below one directory and readiness
// sockets in another, which must have a short name: a socket's path has at most
// 107 bytes. Both are made if missing.
func NewRunner(logs, sockets string) (*Runner, error) {
	for _, dir := range []string{logs, sockets} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make directory of processes: %w", err)
		}
	}
	r := &Runner{
		logs: logs, sockets: sockets, maxLog: DefaultMaxLog, thread: netns.NewThread(),
		running: map[*Process]struct{}{}, stop: make(chan struct{}),
	}
	r.wg.Go(r.capLogs)
	return r, nil
}

// Close kills every process that still runs and waits for their ends. Later calls
// do nothing.
func (r *Runner) Close() error {
	r.once.Do(func() {
		close(r.stop)
		r.mu.Lock()
		left := slices.Collect(maps.Keys(r.running))
		r.mu.Unlock()
		for _, p := range left {
			_ = p.Kill() // it may have ended meanwhile
		}
		for _, p := range left {
			<-p.done
		}
		r.wg.Wait()
		_ = r.thread.Close()
	})
	return nil
}

// Start starts a process and returns at once; see [Process.WaitReady].
func (r *Runner) Start(s Spec) (*Process, error) {
	p := &Process{spec: s, log: filepath.Join(r.logs, s.Name+".log"), done: make(chan struct{}), ready: make(chan struct{}), heard: make(chan struct{}, 1)}
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Dir = s.Dir
	// Either way the process leads a group of its own.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: !s.Terminal, Setsid: s.Terminal, Setctty: s.Terminal, Pdeathsig: unix.SIGKILL}
	if err := r.connect(p, cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	p.cmd, p.started = cmd, time.Now()
	err := r.thread.Do(s.NS, cmd.Start)
	if p.logFile != nil {
		p.logFile.Close() // the child has its own
	}
	if err != nil {
		p.closeNotify()
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	r.mu.Lock()
	r.running[p] = struct{}{}
	r.mu.Unlock()
	if p.notify != nil {
		go p.listen()
	}
	go func() {
		p.collect(r.maxLog)
		r.mu.Lock()
		delete(r.running, p)
		r.mu.Unlock()
	}()
	return p, nil
}

// connect gives the child its streams, environment and readiness socket.
func (r *Runner) connect(p *Process, cmd *exec.Cmd) error {
	s := p.spec
	if s.Stdout != nil || s.Stderr != nil {
		cmd.Env = os.Environ()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = file(s.Stdin), writer(s.Stdout), writer(s.Stderr)
	} else {
		if err := os.MkdirAll(filepath.Dir(p.log), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		p.logFile = f
		cmd.Env, cmd.Stdout, cmd.Stderr = baseEnv(), f, f
	}
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		cmd.Env = append(cmd.Env, k+"="+s.Env[k])
	}
	if s.Ready != "" || p.logFile == nil {
		return nil
	}
	r.mu.Lock()
	r.serial++
	path := filepath.Join(r.sockets, fmt.Sprintf("ready-%d", r.serial))
	r.mu.Unlock()
	if err := p.openNotify(path); err != nil {
		p.logFile.Close()
		return err
	}
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path)
	return nil
}

// file and writer keep a nil *os.File from becoming a non-nil interface.
func file(f *os.File) io.Reader {
	if f == nil {
		return nil
	}
	return f
}

func writer(f *os.File) io.Writer {
	if f == nil {
		return nil
	}
	return f
}

// baseEnv is what a process under test may see of our environment: little, so that
// a lab is the same on every machine.
func baseEnv() []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "GORACE", "GOTRACEBACK", "GOMAXPROCS", "GOGC"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}
