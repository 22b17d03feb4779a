using System.Globalization;
using System.Text.Json;
using Mesh.Dashboard.Tests.Support;
using Microsoft.Playwright;

namespace Mesh.Dashboard.Tests.Browser;

/// <summary>Every page beside what the API says, under load.</summary>
[Collection(DashboardCollection.Name)]
public sealed class PageTests(DashboardFixture fixture)
{
    private static string Text(JsonElement value) => value.GetInt64().ToString("N0", CultureInfo.InvariantCulture);

    [BrowserFact]
    public async Task Mesh_UnderLoad_ShowsWhatTheApiGives()
    {
        await using var page = await fixture.OpenAsync("mesh");
        await page.LiveAsync();
        await page.AgreesAsync(".tile:nth-child(1) dd", async () =>
        {
            var state = await fixture.Demo.GetAsync("state");
            return $"{Text(state.GetProperty("readyEndpoints"))} of {Text(state.GetProperty("endpoints"))}";
        }, "the page counts the ready endpoints as the API does");
        foreach (var cluster in (await fixture.Demo.GetAsync("clusters")).GetProperty("items").EnumerateArray())
        {
            var name = cluster.GetProperty("name").GetString();
            Assert.Equal(1, await page.Find($".map-node:has-text('{name}')").CountAsync());
            await page.AgreesAsync($".cluster-row:has-text('{name}')", async () =>
            {
                var now = (await fixture.Demo.GetAsync("clusters")).GetProperty("items").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name);
                return $"{Text(now.GetProperty("inFlightRequests"))} in flight";
            }, $"the page counts the requests of {name} as the API does");
        }

        await page.AgreesAsync(".flows tbody", async () =>
            Text((await fixture.Demo.GetAsync("flows?sort=-total")).GetProperty("items").EnumerateArray().First().GetProperty("total")), "the page counts the flows as the API does");
        await page.PictureAsync("mesh-light");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Pools_UnderLoad_ShowBackendsTimesAndPolicy()
    {
        await using var page = await fixture.OpenAsync("pools");
        await page.LiveAsync();
        var pool = (await fixture.Demo.GetAsync("pools")).GetProperty("items").EnumerateArray().Single();
        var backends = pool.GetProperty("backends").EnumerateArray().ToArray();
        Assert.Equal(backends.Length, await page.Find(".backends tbody tr").CountAsync());
        foreach (var backend in backends)
        {
            var row = page.Find($".backends tbody tr:has-text('{backend.GetProperty("cluster").GetString()}')");
            await Assertions.Expect(row).ToContainTextAsync($"{Text(backend.GetProperty("healthyEndpoints"))} / {Text(backend.GetProperty("endpoints"))}");
            await Assertions.Expect(row).ToContainTextAsync("kv-cache");
        }

        await page.AgreesAsync(".pool .figures", async () =>
        {
            var now = (await fixture.Demo.GetAsync("pools")).GetProperty("items").EnumerateArray().Single();
            var median = now.GetProperty("timePerOutputToken").GetProperty("p50Ms").GetDouble();
            return median.ToString("0.0", CultureInfo.InvariantCulture) + " ms";
        }, "the page shows the median time per output token that the API gives");
        await Assertions.Expect(page.Find(".sparks .spark-line").Nth(1)).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M"));

        await page.Find(".pool summary").ClickAsync();
        var settings = (await fixture.Demo.GetAsync($"pools/{pool.GetProperty("id").GetString()}")).GetProperty("settings").EnumerateArray();
        var written = settings.First(s => s.GetProperty("origin").GetString() == "policy");
        var shown = page.Find($".settings tr:has(th:text-is('{written.GetProperty("name").GetString()}'))").First;
        await Assertions.Expect(shown).ToContainTextAsync(written.GetProperty("value").GetString()!);
        await Assertions.Expect(shown).ToContainTextAsync(written.GetProperty("source").GetString()!);
        await page.PictureAsync("pools-light");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Endpoints_UnderLoad_SortFilterAndAgreeWithTheApi()
    {
        await fixture.Demo.HoldAsync(3);
        await using var page = await fixture.OpenAsync("endpoints");
        await page.LiveAsync();
        await Assertions.Expect(page.Find("tr.endpoint")).ToHaveCountAsync(8);
        await page.Find("th button:has-text('Tokens')").ClickAsync();
        await Assertions.Expect(page.Find("th[aria-sort=descending]")).ToContainTextAsync("Tokens");
        foreach (var endpoint in (await fixture.Demo.GetAsync("endpoints")).GetProperty("items").EnumerateArray())
        {
            var address = endpoint.GetProperty("address").GetString();
            await page.AgreesAsync($"tr[data-address='{address}'] td:nth-child(5)", async () =>
            {
                var now = (await fixture.Demo.GetAsync($"endpoints?search={address}")).GetProperty("items").EnumerateArray().Single();
                return Text(now.GetProperty("inFlightRequests"));
            }, $"the page counts the requests of {address} as the API does");
        }

        await page.Page.Keyboard.PressAsync("/");
        await page.Page.Keyboard.TypeAsync("instruct-1");
        await Assertions.Expect(page.Find("tr.endpoint")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Find(".tools [role=status]")).ToHaveTextAsync("2 of 8 endpoints");
        await page.PictureAsync("endpoints-light", fullPage: false);
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Grains_ARequestId_ShowsItsDecisionAndCandidates()
    {
        await fixture.Demo.ExplainedAsync("looked-up-1");
        var decision = (await fixture.Demo.GetAsync("decisions/looked-up-1")).GetProperty("decisions").EnumerateArray().Single();
        await using var page = await fixture.OpenAsync("grains");
        await page.LiveAsync();
        await Assertions.Expect(page.Find(".machines tbody tr").First).ToContainTextAsync("default/vllm-llama3-8b-instruct");
        await Assertions.Expect(page.Find(".machines tbody tr").First).ToContainTextAsync("in process");
        await page.Find("main input[type=search]").FillAsync("looked-up-1");
        await page.Find("button:has-text('Look up')").ClickAsync();
        await Assertions.Expect(page.Find(".decision")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Find(".decision summary")).ToContainTextAsync($"→ {decision.GetProperty("endpoint").GetString()}");
        await Assertions.Expect(page.Find(".decision tbody tr")).ToHaveCountAsync(decision.GetProperty("candidates").GetArrayLength());
        await Assertions.Expect(page.Find("tr.chosen th")).ToContainTextAsync(decision.GetProperty("endpoint").GetString()!);
        await page.PictureAsync("grains-light");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Configuration_ABrokenAndAGoodEdit_StandInItsHistory()
    {
        await using var page = await fixture.OpenAsync("configuration");
        await page.LiveAsync();
        var objects = (await fixture.Demo.GetAsync("configuration")).GetProperty("objects").GetArrayLength();
        await page.AgreesAsync(".tiles", () => Task.FromResult(Text(JsonDocument.Parse(objects.ToString(CultureInfo.InvariantCulture)).RootElement)), "the page counts the objects as the API does");
        var file = Path.Combine(fixture.Demo.Manifests, "gke-west", "backend-policy.yaml");
        var good = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, good.Replace("timeoutSec: 100", "timeoutSec: minus one", StringComparison.Ordinal));
        await Assertions.Expect(page.Find(".problem-card")).ToContainTextAsync("is not in force");
        await Assertions.Expect(page.Find(".finding").First).ToContainTextAsync("backend-policy.yaml");
        await page.PictureAsync("configuration-broken");
        await File.WriteAllTextAsync(file, good.Replace("timeoutSec: 100", "timeoutSec: 90", StringComparison.Ordinal));
        await Assertions.Expect(page.Find(".history > li").First).ToContainTextAsync("taken");
        await Assertions.Expect(page.Find(".history > li").First).ToContainTextAsync("90 s");
        await Assertions.Expect(page.Find(".history > li").Nth(1)).ToContainTextAsync("refused");
        await Assertions.Expect(page.Find(".problem-card")).ToBeHiddenAsync();
        await page.PictureAsync("configuration-light");
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Drain_WithAReason_TakesTheEndpointOutAndBackIn()
    {
        await using var page = await fixture.OpenAsync("endpoints");
        await page.LiveAsync();
        var row = page.Find("tr.endpoint").Last;
        var address = (await row.GetAttributeAsync("data-address"))!;
        row = page.Find($"tr[data-address='{address}']");
        await row.Locator("button:has-text('Drain')").ClickAsync();
        await Assertions.Expect(page.Find("dialog")).ToContainTextAsync($"Drain endpoint {address}?");
        await page.Find("dialog input").FillAsync("a new driver");
        await page.PictureAsync("drain-dialog", fullPage: false);
        await page.Find("dialog button[type=submit]").ClickAsync();
        await Assertions.Expect(row.Locator(".pill")).ToHaveTextAsync("drained");
        var drain = (await fixture.Demo.GetAsync("drains")).GetProperty("drains").EnumerateArray().Single();
        Assert.Equal(address, drain.GetProperty("name").GetString());
        Assert.Equal("a new driver", drain.GetProperty("reason").GetString());
        await row.Locator("button:has-text('Undrain')").ClickAsync();
        await page.Find("dialog button[type=submit]").ClickAsync();
        await Assertions.Expect(row.Locator(".pill")).ToHaveTextAsync("ready");
        Assert.Empty((await fixture.Demo.GetAsync("drains")).GetProperty("drains").EnumerateArray());
        await page.CleanAsync();
    }

    [BrowserFact]
    public async Task Phone_AndDark_FitTheWindow()
    {
        foreach (var (scheme, width) in new[] { ("dark", 1360), ("light", 390) })
        {
            await using var page = await fixture.OpenAsync("mesh", scheme, width, 844);
            await page.LiveAsync();
            foreach (var name in new[] { "mesh", "pools", "endpoints", "grains", "configuration" })
            {
                await page.GoAsync(name);
                await page.PictureAsync($"{name}-{(width < 500 ? "phone" : scheme)}", fullPage: name != "endpoints");
                await page.CleanAsync();
            }
        }
    }

    [BrowserFact]
    public async Task Keys_OpenPagesAndSwitchTheTheme()
    {
        await using var page = await fixture.OpenAsync("mesh");
        await page.LiveAsync();
        await page.Page.Keyboard.PressAsync("g");
        await page.Page.Keyboard.PressAsync("e");
        await Assertions.Expect(page.Find("h1")).ToHaveTextAsync("Endpoints");
        await Assertions.Expect(page.Find("nav a[aria-current=page]")).ToHaveTextAsync("Endpoints");
        await page.Page.Keyboard.PressAsync("t");
        Assert.Equal("dark", await page.Page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        await page.CleanAsync();
    }
}
