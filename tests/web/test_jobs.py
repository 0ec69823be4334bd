"""Jobs by HTTP: who may order, see and fetch what; how progress is told."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from tests.web.events import events_of
from tests.web.test_admin import enter

from amazonia.jobs.desk import Desk
from amazonia.web import jobs

TOKEN = {"authorization": "Bearer a-token-for-tests"}
NewClient = Callable[[], httpx.AsyncClient]


@pytest.fixture
async def script(browser: NewClient) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator's script."""
    async with browser() as client:
        client.headers.update(TOKEN)
        yield client


async def over(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """A job as soon as it is over."""
    events = await client.get(f"/api/jobs/{job['id']}", headers={"accept": "text/event-stream"})
    last: dict[str, Any] = events_of(events.text)[-1].data
    return last


async def order(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    """A job that was just ordered."""
    response = await client.post("/api/admin/jobs", json={"name": name, **more})
    assert response.status_code == 202
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/api/jobs/{job['id']}"
    return job


async def test_an_order_is_a_job_that_can_be_watched(script: httpx.AsyncClient) -> None:
    """As JSON whenever asked for, and as events that end with `end`."""
    job = await order(script, "purge")
    assert job["status"] == "queued"
    stream = await script.get(f"/api/jobs/{job['id']}", headers={"accept": "text/event-stream"})
    *before, end = events_of(stream.text)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert (end.kind, end.data["status"], end.data["progress"]) == ("end", "done", 1.0)
    assert {event.kind for event in before} <= {"job"}
    assert (await script.get(f"/api/jobs/{job['id']}")).json() == end.data
    again = {"accept": "text/event-stream", "last-event-id": str(end.id)}
    assert (await script.get(f"/api/jobs/{job['id']}", headers=again)).status_code == 204


async def test_a_key_makes_two_orders_one_job(script: httpx.AsyncClient) -> None:
    """Whoever sends an order again, for want of an answer, does not do it twice."""
    first = await order(script, "purge", key="tonight")
    assert (await order(script, "purge", key="tonight"))["id"] == first["id"]
    assert (await order(script, "purge"))["id"] != first["id"]


async def test_an_export_can_be_fetched(
    script: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    """By the administrator, as a file to be saved, and by no player."""
    team = (await client.get("/api/state")).json()
    del team
    signed_in = (await client.post("/api/session", json={"team": "Jaús"})).json()
    job = await over(
        script, await order(script, "export", arguments={"team": signed_in["team_id"]})
    )
    file = await script.get(job["file"])
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["cache-control"] == "no-store"
    assert "teams.json" in zipfile.ZipFile(io.BytesIO(file.content)).namelist()
    assert (await client.get(job["file"])).status_code == 404


async def test_what_was_given_up_is_listed_and_retried(script: httpx.AsyncClient) -> None:
    """Among the dead letters, with its fault; retried it is a job again."""
    job = await over(script, await order(script, "export", arguments={"team": "nobody"}))
    assert job["status"] == "dead"
    assert "there is no team of that id" in job["error"]
    listed = (await script.get("/api/admin/jobs")).json()
    assert [dead["id"] for dead in listed["dead"]] == [job["id"]]
    assert job["id"] in {any_["id"] for any_ in listed["jobs"]}
    retried = await script.post(f"/api/admin/jobs/{job['id']}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    assert (await over(script, job))["attempt"] == 1
    assert (await script.post("/api/admin/jobs/nobody/retry")).status_code == 404


async def test_an_unknown_job_is_refused_with_those_there_are(script: httpx.AsyncClient) -> None:
    """A problem that says what to write instead."""
    refused = await script.post("/api/admin/jobs", json={"name": "dance"})
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/bad-order"
    assert "purge, preheat, export" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/admin/jobs"), ("POST", "/api/admin/jobs"), ("POST", "/api/admin/jobs/x/retry")],
)
async def test_only_the_administrator_orders(browser: NewClient, method: str, path: str) -> None:
    """403 without the token, or with another."""
    async with browser() as stranger:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            body = {"name": "purge"} if method == "POST" else None
            assert (
                await stranger.request(method, path, json=body, headers=headers)
            ).status_code == 403


async def test_a_job_is_its_owner_s(
    app: FastAPI, script: httpx.AsyncClient, client: httpx.AsyncClient, monkeypatch: Any
) -> None:
    """A teacher sees the jobs of the own class, and nobody sees that another's are there."""

    async def teaches(request: Request, name: str) -> bool:
        return request.headers.get("x-class") == name

    monkeypatch.setattr(jobs, "OWNERS", {**jobs.OWNERS, "class": teaches})
    desk: Desk = app.state.desk
    job = await desk.order("purge", {}, owner="class:4F7K")
    path = f"/api/jobs/{job.id}"
    assert (await client.get(path, headers={"x-class": "4F7K"})).status_code == 200
    assert (await client.get(path, headers={"x-class": "OTHER"})).status_code == 404
    assert (await client.get(path)).status_code == 404
    assert (await script.get(path)).status_code == 200
    mine = await order(script, "purge")
    assert (await client.get(f"/api/jobs/{mine['id']}")).status_code == 404
    assert (await client.get("/api/jobs/nobody")).status_code == 404


async def test_the_control_room_shows_and_orders_jobs(
    browser: NewClient, script: httpx.AsyncClient
) -> None:
    """A purge by a button, dead letters with a button each, and strangers do neither."""
    dead = await over(script, await order(script, "export", arguments={"team": "nobody"}))
    async with browser() as admin, browser() as stranger:
        await enter(admin)
        assert (await admin.post("/admin/jobs", data={"job": "purge"})).status_code == 303
        (newest, *_) = (await script.get("/api/admin/jobs")).json()["jobs"]
        assert (newest["name"], (await over(script, newest))["status"]) == ("purge", "done")
        page = (await admin.get("/admin")).text
        assert "pronta" in page
        assert "Limpeza" in page
        assert "desistiu" in page
        assert f'action="/admin/jobs/{dead["id"]}/retry"' in page
        retry = f"/admin/jobs/{dead['id']}/retry"
        assert (await admin.post(retry)).status_code == 303
        assert (await admin.post("/admin/jobs", data={"job": "export"})).status_code == 404
        for path in ("/admin/jobs", retry):
            assert (await stranger.post(path, data={"job": "purge"})).status_code == 403
        assert (await stranger.get(f"/admin/jobs/{dead['id']}/file")).status_code == 403


async def test_health_tells_of_the_queue(script: httpx.AsyncClient) -> None:
    """Without a broker jobs run in process, which is well."""
    report = (await script.get("/health")).json()
    assert report["checks"]["queue"] == "in process"
    assert report["status"] == "ok"
