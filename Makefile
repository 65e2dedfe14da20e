# headshots: the verbs. `make help` lists them.
#
# Everything runs in .venv, made here and pinned by constraints.txt; a stamp named after the digest of pyproject.toml,
# setup.py and constraints.txt means that a second run installs nothing. Beside this file only Python >= 3.11, make and a
# package index are needed.
#
# torch is pinned to 2.13.0. The plain PyPI wheel for Linux on x86-64 brings gigabytes of CUDA along; where no GPU is
# to be used, offer pip the CPU wheel and it prefers it (its version 2.13.0+cpu satisfies the pin):
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

# The first interpreter on PATH that is new enough. Choose another with `make demo PYTHON=/path/to/python3.12`.
PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13 python3.14 python,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin

DIGEST := $(shell cat pyproject.toml setup.py constraints.txt | cksum | tr ' ' '-')
DEMO := $(VENV)/.installed-demo-$(DIGEST)
DEV := $(VENV)/.installed-dev-$(DIGEST)

# Lists what is installed. The Dockerfile pins the same version.
CYCLONEDX := $(VENV)/tools/cyclonedx-bom==7.5.0

# `make demo`: a folder of photos, a foundation as it is found (folder, file, a hub's org/name@revision), a LoRA that is
# fused into it (FILE@STRENGTH) and its kind, the number of a sample person. `make test` and the others: more arguments for
# the command, as in `make test ARGS="-k leases"`.
PHOTOS ?=
FOUNDATION ?=
FUSE ?=
FEW_STEPS ?=
PERSON ?=
ARGS ?=

PROTO_OUT ?= .

# Where byte code may not be kept, every process that trains or exports compiles torch and its like anew, which takes it
# longer than all else of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint protos bench bench-unet bench-serving bench-training bench-faults bench-promises bench-shoot \
	bench-looks bench-tensorrt bench-gateway bench-people sbom venv
.DEFAULT_GOAL := help

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO) ## selfies in, a gallery out: out/demo/gallery.html (PHOTOS=dir FOUNDATION=file|dir|org/name FUSE=lora PERSON=n)
	@$(BIN)/headshots demo $(if $(PHOTOS),--photos '$(PHOTOS)') $(if $(FOUNDATION),--foundation '$(FOUNDATION)') \
		$(if $(FUSE),--fuse '$(FUSE)') $(if $(FEW_STEPS),--few-steps '$(FEW_STEPS)') \
		$(if $(PERSON),--person $(PERSON)) $(ARGS)

test: $(DEV) ## every test that is not marked slow, on all cores (ARGS="-k name", ARGS="-n 0" for one process)
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: $(DEV) ## ruff, mypy --strict, generated code up to date, buf, hadolint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(MAKE) -s protos PROTO_OUT="$$fresh" && \
	for folder in headshots/v1 headshots/validate externalscaler; do \
		diff -r -x __init__.py -x __pycache__ "$$fresh/$$folder" $$folder || \
			{ echo "$$folder is not what protos/ generates: run make protos and commit"; exit 1; }; \
	done && echo "generated code is up to date"
	$(BIN)/buf lint
	$(BIN)/hadolint deploy/docker/Dockerfile

# What is generated imports the rules of `headshots.validate`, not a `buf` at the top of site-packages.
protos: $(DEV) ## generate headshots/v1, headshots/validate and externalscaler/ from protos/
	$(BIN)/python -m grpc_tools.protoc -Iprotos --python_out=$(PROTO_OUT) --pyi_out=$(PROTO_OUT) \
		--grpc_python_out=$(PROTO_OUT) protos/headshots/v1/*.proto protos/externalscaler/*.proto
	$(BIN)/python -m grpc_tools.protoc -Iprotos --python_out=$(PROTO_OUT) --pyi_out=$(PROTO_OUT) \
		protos/buf/validate/*.proto
	@mkdir -p $(PROTO_OUT)/headshots/validate
	mv $(PROTO_OUT)/buf/validate/validate_pb2.py* $(PROTO_OUT)/headshots/validate/
	rm -r $(PROTO_OUT)/buf
	sed -i.bak 's/^from buf\.validate import /from headshots.validate import /' $(PROTO_OUT)/headshots/v1/*_pb2.py*
	rm $(PROTO_OUT)/headshots/v1/*.bak

bench: bench-unet bench-serving ## bench-unet and bench-serving; on a machine that does nothing else

bench-unet: $(DEMO) ## one UNet call: many subjects in a batch against one by PEFT (ARGS="--seconds 10")
	$(BIN)/python -m benchmarks.unet_call $(ARGS)

bench-serving: $(DEMO) ## serving against stock diffusers and PEFT, into out/bench/serving.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.serving $(ARGS)

bench-training: $(DEMO) ## likeness, prompts, speed of trainings, into out/bench/training.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.training $(ARGS)

bench-faults: $(DEV) ## what the services withstand, into out/bench/faults.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.faults $(ARGS)

bench-promises: $(DEV) ## erasures through kills, expiry, marked images, into out/bench/promises.json (ARGS=--quick)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.promises $(ARGS)

bench-shoot: $(DEMO) ## guarantee, gate, ranking and kills of shoots, into out/bench/shoot.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.shoot $(ARGS)

bench-looks: $(DEV) ## teams in one look, remixes, estimates, words cut, into out/bench/looks.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.looks $(ARGS)

bench-gateway: $(DEV) ## routing; a gateway under load and replaced while it runs, into out/bench/gateway.json (ARGS=--quick)
	$(BIN)/python -m benchmarks.gateway $(ARGS)

bench-people: $(DEV) ## the analyzer for photos of real people, into out/bench/people.json (ARGS="--folder DIR")
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.people $(ARGS)

bench-tensorrt: $(DEV) ## engines of TensorRT for RTX, without a GPU, into out/bench/tensorrt.json (ARGS=--sd15)
	$(BIN)/python -m benchmarks.tensorrt $(ARGS)

sbom: $(DEV) $(CYCLONEDX) ## what each image installs, with licences, as CycloneDX: out/sbom/IMAGE.cdx.json
	$(BIN)/python deploy/sbom.py $(CYCLONEDX)/bin/cyclonedx-py out/sbom

# In an environment of its own: it brings thirty packages that nothing else needs.
$(CYCLONEDX): | $(BIN)/python
	@$(BIN)/python -m venv --clear $@
	@$@/bin/pip install -q $(notdir $@)

venv: $(BIN)/python

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "headshots needs Python 3.11 or newer and found none on PATH:" \
		"name one with PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "headshots needs Python 3.11 or" \
		"newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1): name another with PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it" \
		"(Debian and Ubuntu: apt-get install python3-venv) or name another with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

# $(call install,EXTRA): the build backend comes first and pinned too, instead of the newest into a hidden environment.
# Byte code is made for what is used, by importing it, which also proves the installation; pip would compile all of torch
# and transformers.
define install
	@echo "Setting up $(VENV) for the extra \"$(1)\": once; torch alone is some 200 MB."
	@$(BIN)/python -m pip install -qq --no-compile -c constraints.txt setuptools
	@$(BIN)/python -m pip install -qq --no-compile -c constraints.txt --no-build-isolation -e '.[$(1)]'
	@TRANSFORMERS_VERBOSITY=error $(BIN)/python -c 'import headshots.diffusion.export.exporter, services.trainer.lora.loop'
	@rm -f $(VENV)/.installed-$(1)-*
	@touch $@
endef

$(DEV): | $(BIN)/python
	$(call install,dev)
	@touch $(DEMO)

$(DEMO): | $(BIN)/python
	$(call install,demo)
