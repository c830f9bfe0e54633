package configuration_test

import (
	"testing"

	"rollcall/projections/configuration"
	"rollcall/projections/internal/projectiontest"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, configuration.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, configuration.Projection()) }
