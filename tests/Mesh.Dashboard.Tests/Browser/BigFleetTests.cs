using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Mesh.Core.Regions.Links;
using Mesh.Core.Snapshots;
using Mesh.Dashboard.Tests.Admin;
using Mesh.Dashboard.Tests.Support;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Microsoft.Playwright;
using Xunit.Abstractions;

namespace Mesh.Dashboard.Tests.Browser;

/// <summary>Pages of other gateways than the demo: a large one, one with keys, one that goes away.</summary>
[Collection(DashboardCollection.Name)]
public sealed class BigFleetTests(DashboardFixture fixture, ITestOutputHelper output)
{
    // Scrolls from end to end and back, a little in each frame, and notes how long each frame took.
    private const string Scroll = """
        async () => {
          const box = document.querySelector('.scroll.tall');
          const frames = [];
          let most = 0;
          const long = [];
          const observer = new PerformanceObserver(list => long.push(...list.getEntries().map(e => e.duration)));
          try { observer.observe({ entryTypes: ['longtask'] }); } catch { /* not told here */ }
          let last = performance.now();
          const end = box.scrollHeight - box.clientHeight;
          for (let i = 1; i <= 80; i++) {
            box.scrollTop = i <= 60 ? end * i / 60 : end * (80 - i) / 20;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            frames.push(now - last);
            last = now;
            most = Math.max(most, document.querySelectorAll('tr.endpoint').length);
            if (!document.querySelector('tr.endpoint')) throw new Error('nothing to see');
          }
          frames.sort((a, b) => a - b);
          return JSON.stringify({ p50: frames[40], p95: frames[76], max: frames[79], rows: most, longTasks: long.length, longest: Math.max(0, ...long) });
        }
        """;

    [BrowserFact]
    public async Task Grains_MachinesInSilos_StandWithSiloEpochAndAge()
    {
        await using var gateway = await ApiGateway.StartAsync(50, machines:
        [
            new MachineSnapshot(MachineKind.Pool, "default/big", "10.0.0.1:11111@7") { Epoch = 12, Age = TimeSpan.FromSeconds(47) },
            new MachineSnapshot(MachineKind.Cluster, "cluster-00", "10.0.0.2:11111@8") { Endpoints = 50, ReadyEndpoints = 49, SampleAge = TimeSpan.FromSeconds(1.5), ConfigVersion = 3, Age = TimeSpan.FromMinutes(5) },
        ]);
        await using var page = await fixture.OpenAsync(gateway.Admin, "grains");
        await page.LiveAsync();
        var pool = page.Find(".machines tbody tr:has(th:text-is('Pool'))");
        await Assertions.Expect(pool).ToContainTextAsync("10.0.0.1:11111");
        await Assertions.Expect(pool.Locator("td").Nth(4)).ToHaveTextAsync("12");
        await Assertions.Expect(pool.Locator("td").Nth(5)).ToHaveTextAsync("40 s");
        var cluster = page.Find(".machines tbody tr:has(th:text-is('Cluster'))");
        await Assertions.Expect(cluster).ToContainTextAsync("49 of 50 endpoints ready, oldest sample 1 s, publishes configuration 3");
        await Assertions.Expect(cluster).ToContainTextAsync("10.0.0.2:11111");
        await page.PictureAsync("grains-silos");
        // On a phone the heads of the columns are gone: every figure says what it is, and what is not known is left out.
        await page.Page.SetViewportSizeAsync(390, 900);
        var epoch = pool.Locator("td").Nth(4);
        Assert.Equal("\"Epoch: \"", (await epoch.EvaluateAsync<string>("cell => getComputedStyle(cell, '::before').content")).Replace("\" \"", "", StringComparison.Ordinal));
        await Assertions.Expect(page.Find(".machines tbody tr:has(th:text-is('Cluster')) td").Nth(4)).ToBeHiddenAsync();
        await page.PictureAsync("grains-silos-phone");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Mesh_PeerRegions_ShowHowFullTheyAre()
    {
        await using var gateway = await ApiGateway.StartAsync(
            50, o => o.Region = "region-0",
            links:
            [
                new PeerLinkSnapshot { Name = "far", Region = "northamerica-northeast2", State = PeerReach.Healthy, RoundTrip = TimeSpan.FromMilliseconds(81.5), Credits = 12, ReportAge = TimeSpan.FromMilliseconds(140) },
                new PeerLinkSnapshot { Name = "gone", Region = "us-gone1", State = PeerReach.Unreachable, ReportAge = TimeSpan.FromSeconds(9) },
            ],
            peers:
            [
                new PeerSnapshot("northamerica-northeast2", PeerLinkState.Fresh) { Endpoints = 4, Healthy = 3, Fullness = 1.12 },
                new PeerSnapshot("us-gone1", PeerLinkState.Unreachable) { Endpoints = 2, Healthy = 2, Fullness = 0.5 },
            ]);
        await using var page = await fixture.OpenAsync(gateway.Admin, "mesh");
        await page.LiveAsync();
        var far = page.Find(".region:has-text('northamerica-northeast2')");
        await Assertions.Expect(far).ToContainTextAsync("3 of 4 ready");
        await Assertions.Expect(far.Locator(".bar-value")).ToHaveTextAsync("112%");
        // What a region said that is not heard any more is not shown as if it held.
        var gone = page.Find(".region:has-text('us-gone1')");
        await Assertions.Expect(gone).ToContainTextAsync("cut off");
        await Assertions.Expect(gone.Locator(".bar")).ToBeHiddenAsync();
        await Assertions.Expect(page.Find(".map-node:has-text('gateway') .map-fill[data-level=over]")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Find(".map-node:has-text('gateway') .map-fill[data-level=none]")).ToHaveCountAsync(1);
        await page.PictureAsync("mesh-peers");
        foreach (var width in (int[])[1280, 380])
        {
            await page.Page.SetViewportSizeAsync(width, 900);
            // No name leaves its region's box.
            var over = await page.Page.EvaluateAsync<string[]>(
                "() => [...document.querySelectorAll('.map-region-name')].filter((t, i) => t.getBoundingClientRect().right > document.querySelectorAll('.map-region')[i].getBoundingClientRect().right + 1).map(t => t.textContent)");
            Assert.Empty(over);
        }

        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Endpoints_AThousand_ScrollSmoothlyWithAFewRows()
    {
        await using var gateway = await ApiGateway.StartAsync(1000);
        await using var page = await fixture.OpenAsync(gateway.Admin, "endpoints");
        await page.LiveAsync();
        await Assertions.Expect(page.Find(".tools [role=status]")).ToHaveTextAsync("1,000 endpoints");
        var told = await page.Page.EvaluateAsync<string>(Scroll);
        output.WriteLine(told);
        using var figures = JsonDocument.Parse(told);
        Assert.InRange(figures.RootElement.GetProperty("rows").GetInt32(), 10, 60);
        // A quiet machine takes 17 ms, the display's own pace; this one may be building beside.
        Assert.InRange(figures.RootElement.GetProperty("p50").GetDouble(), 0, 120);
        await page.Find("th button:has-text('In flight')").ClickAsync();
        await page.Page.EvaluateAsync("document.querySelector('.scroll.tall').scrollTop = 1e9");
        await Assertions.Expect(page.Find("tr.endpoint[aria-rowindex='1001']")).ToHaveCountAsync(1);
        await page.PictureAsync("endpoints-thousand", fullPage: false);
        await page.CleanAsync();
        await page.Page.GotoAsync(new Uri(gateway.Admin, "/dashboard/#/mesh").ToString());
        await Assertions.Expect(page.Find(".map-node")).ToHaveCountAsync(20);
        await page.PictureAsync("mesh-thousand");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Keys_Required_AreAskedForOnceAndThenUsed()
    {
        await using var gateway = await ApiGateway.StartAsync(50, AdminApiTests.WithKeys);
        await using var page = await fixture.OpenAsync(gateway.Admin, "mesh");
        page.Expected = "status of 40";
        await Assertions.Expect(page.Find("dialog h2")).ToHaveTextAsync("A key, please");
        await page.PictureAsync("key-prompt", fullPage: false);
        await page.Page.Keyboard.PressAsync("Escape");
        await page.Find("button:has-text('Give a key')").ClickAsync();
        await page.Find("dialog input").FillAsync("wrong-key-that-is-long-enough");
        await page.Find("dialog button[type=submit]").ClickAsync();
        await Assertions.Expect(page.Find("dialog")).ToContainTextAsync("Incorrect API key");
        await page.Find("dialog input").FillAsync(AdminApiTests.ReaderKey);
        await page.Find("dialog button[type=submit]").ClickAsync();
        await page.LiveAsync();
        await page.Page.ReloadAsync();
        await page.LiveAsync();
        await Assertions.Expect(page.Find("dialog")).ToHaveCountAsync(0);
        await page.CleanAsync();
    }

    [BrowserFact]
    [SuppressMessage("Reliability", "CA2000", Justification = "The gateway is ended by the test itself.")]
    public async Task Connection_Lost_KeepsTheNumbersAndSaysSo()
    {
        var gateway = await ApiGateway.StartAsync(50);
        await using var page = await fixture.OpenAsync(gateway.Admin, "mesh");
        page.Expected = "net::ERR_";
        await page.LiveAsync();
        await gateway.DisposeAsync();
        await Assertions.Expect(page.Find("#link-text")).ToHaveTextAsync("Disconnected");
        await Assertions.Expect(page.Find("#notice")).ToContainTextAsync("trying again");
        await Assertions.Expect(page.Find(".tile").First).ToContainTextAsync("50 of 50");
        await page.PictureAsync("disconnected");
        await page.CleanAsync();
    }
}
