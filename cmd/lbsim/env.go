package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envPrefix begins the name of every variable that stands for a flag.
const envPrefix = "LBSIM_"

// envHelp ends the help of every command.
const envHelp = `
--json prints objects, one a line. Each flag can be given as a variable: LBSIM_JSON=true. Flags win.
`

// envName is the variable that stands for a flag: "--gateway-binary" is
// LBSIM_GATEWAY_BINARY.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFromEnv sets the flags of a command that its command line does not. An empty
// variable is one that is not set.
func setFromEnv(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		text := os.Getenv(envName(f.Name))
		if f.Changed || f.Name == "help" || text == "" || err != nil {
			return
		}
		if serr := cmd.Flags().Set(f.Name, text); serr != nil {
			err = inputError(fmt.Errorf("variable %s: %w", envName(f.Name), serr))
		}
	})
	return err
}
