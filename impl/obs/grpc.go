package obs

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc/grpclog"
)

// adopted makes the first logger of the process that of gRPC.
var adopted sync.Once

// adoptGRPC hands what gRPC has to say to l: by default it writes lines of its
// own shape to stderr, in the middle of ours. gRPC asks that this happens before
// anything else of it is used, hence with the logger that a process makes first.
func adoptGRPC(l *slog.Logger) {
	adopted.Do(func() { grpclog.SetLoggerV2(grpcLog{l.With("library", "grpc")}) })
}

// grpcLog is gRPC's view of a logger. What gRPC calls an error is one of a
// connection, which callers hear of and ride out by themselves: here a warning.
// Its warnings and information (each attempt to connect) are for debugging.
type grpcLog struct{ l *slog.Logger }

const grpcMessage = "gRPC"

func (g grpcLog) debug(text string) { g.l.Debug(grpcMessage, "text", strings.TrimSpace(text)) }
func (g grpcLog) warn(text string)  { g.l.Warn(grpcMessage, "text", strings.TrimSpace(text)) }

// fatal ends the process, as gRPC relies on.
func (g grpcLog) fatal(text string) {
	g.l.Error(grpcMessage, "text", strings.TrimSpace(text))
	os.Exit(1)
}

func (g grpcLog) Info(a ...any)               { g.debug(fmt.Sprint(a...)) }
func (g grpcLog) Infoln(a ...any)             { g.debug(fmt.Sprintln(a...)) }
func (g grpcLog) Infof(f string, a ...any)    { g.debug(fmt.Sprintf(f, a...)) }
func (g grpcLog) Warning(a ...any)            { g.debug(fmt.Sprint(a...)) }
func (g grpcLog) Warningln(a ...any)          { g.debug(fmt.Sprintln(a...)) }
func (g grpcLog) Warningf(f string, a ...any) { g.debug(fmt.Sprintf(f, a...)) }
func (g grpcLog) Error(a ...any)              { g.warn(fmt.Sprint(a...)) }
func (g grpcLog) Errorln(a ...any)            { g.warn(fmt.Sprintln(a...)) }
func (g grpcLog) Errorf(f string, a ...any)   { g.warn(fmt.Sprintf(f, a...)) }
func (g grpcLog) Fatal(a ...any)              { g.fatal(fmt.Sprint(a...)) }
func (g grpcLog) Fatalln(a ...any)            { g.fatal(fmt.Sprintln(a...)) }
func (g grpcLog) Fatalf(f string, a ...any)   { g.fatal(fmt.Sprintf(f, a...)) }

// V reports that details are wanted nowhere: they are many a second.
func (g grpcLog) V(level int) bool { return level <= 0 }
