package configuration_test

import (
	"testing"

	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/configuration"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, configuration.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, configuration.Projection()) }
