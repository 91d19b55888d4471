"""What a plugin may get wrong where it is loaded: it is listed as failed, and the others go on."""

from __future__ import annotations

import pytest

from support.plugins import Registers, error_of, load, pick_named, plugin, report_of, reports, write
from support.task_types import Pick, TestTypes
from workersai_core.api import TaskType, hookimpl
from workersai_core.errors import PluginConfigurationError, TaskTypeUnavailable, UnknownTaskType


def nothing(**_):
    """Do nothing."""


# --- what is fine --------------------------------------------------------------------------------------


def test_a_plugin_that_was_loaded_is_listed_with_what_it_brings():
    report = report_of(TestTypes())

    assert ("TestTypes", "ok", None) == (report.name, report.state, report.error)
    assert (None, None) == (report.distribution, report.version)
    assert ("pick", "unanimous") == report.task_types
    assert ("register_task_types",) == report.hooks


def test_a_hook_takes_the_arguments_it_needs_in_any_order_also_with_defaults():
    seen = []

    class Some:
        @hookimpl
        def engine_ready(self):
            seen.append("none")

        @hookimpl
        def engine_closing(self, engine=None):
            seen.append(engine)

    hooks = load(Some()).hooks
    hooks.engine_ready("an engine")
    hooks.engine_closing("an engine")

    assert ["none", "an engine"] == seen


def test_types_may_be_yielded():
    class Yields:
        @hookimpl
        def register_task_types(self):
            yield Pick()

    assert ["pick"] == load(Yields()).types.names()


def test_an_optional_hook_that_is_unknown_is_left_alone():
    class Newer:
        @hookimpl(optionalhook=True)
        def of_the_future(self):
            raise AssertionError

        @hookimpl
        def engine_ready(self):
            pass

    assert ("engine_ready",) == report_of(Newer()).hooks


# --- what is no plugin ---------------------------------------------------------------------------------


def test_a_class_is_no_plugin():
    assert "TestTypes is a class; register an instance, TestTypes()." == error_of(TestTypes)


def test_an_object_without_hooks_is_no_plugin():
    assert "It implements no hook; mark functions with @hookimpl." == error_of(object())
    assert "Pick is a task type; return it from a hook register_task_types." == error_of(Pick())


def test_a_module_without_hooks_is_no_plugin(tmp_path):
    assert "implements no hook" in error_of(files=[write(tmp_path, "empty", "from workersai_core.api import TaskType")])
    forgot = "from workersai_core.api import TaskType\nclass Mine(TaskType):\n    pass\n"
    assert "It defines the task type Mine, but no hook; add" in error_of(files=[write(tmp_path, "forgot", forgot)])


def test_the_same_plugin_is_registered_once():
    twice = TestTypes()
    found = reports(load(twice, twice))

    assert {"TestTypes": "ok", "TestTypes-2": "failed"} == {name: report.state for name, report in found.items()}
    assert "registered already" in found["TestTypes-2"].error


# --- hooks ---------------------------------------------------------------------------------------------


def test_an_unknown_hook_is_refused_with_what_was_meant():
    assert "There is no hook before_task_creat; did you mean before_task_create?" == error_of(
        plugin(before_task_creat=nothing)
    )
    assert error_of(plugin(zzzzzz=nothing)).startswith("There is no hook zzzzzz; hooks are assignment_expired, ")


def test_a_keyword_only_hook_is_refused():
    def task_created(*, event):
        pass

    assert "task_created: event is keyword-only and would never be given; write task_created(event)." == error_of(
        plugin(task_created=task_created)
    )


def test_a_hook_that_takes_anything_is_refused():
    def task_created(*events):
        pass

    assert "*events would never be given" in error_of(plugin(task_created=task_created))
    assert "**_ would never be given" in error_of(plugin(task_created=nothing))


def test_an_argument_that_the_hook_does_not_have_is_refused():
    def before_assign(ctx, job):
        pass

    assert "before_assign has no argument job; it is before_assign(ctx, task, worker)." == error_of(
        plugin(before_assign=before_assign)
    )


def test_an_async_hook_is_refused():
    async def task_created(event):
        pass

    async def stream(event):
        yield event

    assert "task_created is async; hooks are plain functions, so write def instead." == error_of(
        plugin(task_created=task_created)
    )
    assert "is async" in error_of(plugin(task_created=stream))


def test_a_generator_that_would_never_run_is_refused():
    def before_assign(task):
        yield task

    assert "before_assign is a generator, which would never run; leave yield out." == error_of(
        plugin(before_assign=before_assign)
    )


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper"])
def test_a_wrapper_is_refused(option):
    class Wraps:
        @hookimpl(**{option: True})
        def task_created(self, event):
            yield

    assert "task_created is a wrapper" in error_of(Wraps())


def test_a_hook_implemented_twice_is_refused():
    class Twice:
        @hookimpl
        def engine_ready(self):
            pass

        @hookimpl(specname="engine_ready")
        def once_more(self):
            pass

    assert "It implements the hook engine_ready twice" in error_of(Twice())


# --- task types ----------------------------------------------------------------------------------------


def test_a_class_instead_of_an_instance_is_refused():
    assert "register_task_types returns the class Pick; return an instance, Pick()." == error_of(Registers(Pick))


def test_what_is_no_task_type_is_refused():
    assert "returns a str, which is no TaskType" in error_of(Registers("pick"))
    assert "returns a list: [Pick()]" in error_of(plugin(register_task_types=lambda: Pick()))
    assert "returns a list of task types, not NoneType" in error_of(plugin(register_task_types=lambda: None))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("no network"), "RuntimeError: no network"),
        (SystemExit(3), "SystemExit: 3"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_a_plugin_that_raises_while_it_registers_is_listed(error, told):
    def register_task_types():
        raise error

    assert told == error_of(plugin(register_task_types=register_task_types))


def test_all_of_a_plugin_is_registered_or_nothing():
    class Half:
        name = "half"

        @hookimpl
        def engine_ready(self):
            raise AssertionError

        @hookimpl
        def register_task_types(self):
            return [Pick(), pick_named("other", examples=())]

    loaded = load(Half())
    assert [] == loaded.types.names()
    assert not loaded.hooks.has("engine_ready")
    assert ("pick", "other") == reports(loaded)["half"].task_types
    with pytest.raises(TaskTypeUnavailable, match="The task type other cannot be used: its plugin half failed"):
        loaded.types.require("other")


def test_a_broken_plugin_does_not_break_the_others():
    loaded = load(plugin("broken", zzz=nothing), TestTypes(), Registers(Pick, name="classes"))

    assert ["pick", "unanimous"] == loaded.types.names()
    assert {"broken": "failed", "TestTypes": "ok", "classes": "failed"} == {
        name: report.state for name, report in reports(loaded).items()
    }


def test_why_a_plugin_is_not_loaded_is_logged(caplog):
    load(plugin("broken", zzz=nothing))

    assert ["ERROR"] == [record.levelname for record in caplog.records]
    assert "the plugin broken is not loaded: There is no hook zzz" in caplog.text


# --- one name twice ------------------------------------------------------------------------------------


def test_a_name_taken_twice_is_refused_to_both():
    loaded = load(Registers(Pick(), name="one"), Registers(pick_named("pick"), name="two"), TestTypes())
    found = reports(loaded)

    assert [] == loaded.types.names()
    assert "The task type pick is also registered by two, TestTypes; load only one of them" in found["one"].error
    assert "also registered by one, TestTypes" in found["two"].error


def test_an_alias_may_not_be_the_name_of_another_type():
    loaded = load(Registers(Pick(), name="one"), Registers(pick_named("choose"), name="two"))

    assert {"one", "two"} == {report.name for report in loaded.reports() if report.state == "failed"}


def test_a_plugin_may_not_name_two_types_alike():
    assert "It registers the name pick twice." == error_of(Registers(Pick(), pick_named("pick")))
    assert "It registers the name choose twice." == error_of(Registers(Pick(), pick_named("choose")))


def test_a_name_of_a_plugin_that_failed_is_free():
    loaded = load(Registers(Pick(), pick_named("b", examples=()), name="broken"), Registers(Pick(), name="fine"))

    assert ["pick"] == loaded.types.names()
    assert "pick" == loaded.types.require("pick").name


# --- settings ------------------------------------------------------------------------------------------


def test_the_defaults_of_settings_are_collected():
    loaded = load(
        plugin("one", register_settings=lambda: {"one_limit": 3}),
        plugin("two", register_settings=lambda: {"two": None}),
    )
    assert {"one_limit": 3, "two": None} == loaded.settings


def test_a_setting_named_twice_is_refused_to_both():
    loaded = load(plugin("one", register_settings=lambda: {"x": 1}), plugin("two", register_settings=lambda: {"x": 2}))

    assert {} == loaded.settings
    assert "The setting x is also registered by two" in reports(loaded)["one"].error


@pytest.mark.parametrize("settings", [None, ["x"], {1: 2}])
def test_settings_are_a_mapping_by_name(settings):
    assert "register_settings returns a mapping" in error_of(plugin(register_settings=lambda: settings))


# --- strict --------------------------------------------------------------------------------------------


def test_strict_plugins_make_every_failure_an_error():
    with pytest.raises(PluginConfigurationError) as caught:
        load(plugin("one", zzz=nothing), TestTypes(), Registers(Pick, name="two"), strict=True)

    assert ["one", "two"] == [issue.message.partition(":")[0] for issue in caught.value.issues]
    assert "There is no hook zzz" in str(caught.value)


def test_strict_plugins_are_content_when_none_fails():
    assert ["pick", "unanimous"] == load(TestTypes(), strict=True).types.names()


# --- what is known of types ----------------------------------------------------------------------------


def test_a_plugin_that_did_not_get_as_far_as_its_types_stands_for_one_of_its_own_name(tmp_path):
    types = load(files=[write(tmp_path, "bird_song", "import no_such_module")]).types

    with pytest.raises(TaskTypeUnavailable, match="its plugin bird_song failed"):
        types.require("bird_song")
    with pytest.raises(UnknownTaskType):
        types.require("bird_songs")


def test_a_type_without_a_name_is_named_by_its_class_in_the_report():
    class Nameless(TaskType):
        pass

    assert ("Nameless",) == report_of(Registers(Nameless())).task_types
