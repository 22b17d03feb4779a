using Microsoft.Playwright;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>One demo and one browser for all tests of the pages.</summary>
public sealed class DashboardFixture : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    internal Demo Demo { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (Chromium.Path is null) return;
        Demo = await Demo.StartAsync();
        Demo.Load(4);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium.Path, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (Demo is not null) await Demo.DisposeAsync();
    }

    /// <summary>A page of the demo's dashboard.</summary>
    internal Task<Watched> OpenAsync(string page, string scheme = "light", int width = 1360, int height = 900) => OpenAsync(Demo.Admin, page, scheme, width, height);

    /// <summary>A page of a dashboard.</summary>
    internal async Task<Watched> OpenAsync(Uri admin, string page, string scheme = "light", int width = 1360, int height = 900)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
        });
        // A slow machine that builds beside the tests is no reason to fail.
        context.SetDefaultTimeout(30_000);
        var watched = new Watched(await context.NewPageAsync(), admin);
        await watched.Page.GotoAsync(new Uri(admin, $"/dashboard/#/{page}").ToString());
        return watched;
    }
}

/// <summary>A page, and everything that it should not do.</summary>
internal sealed class Watched : IAsyncDisposable
{
    private readonly List<string> _wrongs = [];
    private readonly Uri _home;

    public Watched(IPage page, Uri home)
    {
        Page = page;
        _home = home;
        page.Console += (_, message) => Note(message.Type is "error" or "warning", $"console {message.Type}: {message.Text}");
        page.PageError += (_, error) => Note(true, $"page error: {error}");
        page.Request += (_, request) => Note(!request.Url.StartsWith("data:", StringComparison.Ordinal) && new Uri(request.Url).Authority != home.Authority, $"request to {request.Url}");
    }

    public IPage Page { get; }

    /// <summary>Part of a console message that the test brings about itself, such as the browser's note on a 401.</summary>
    public string? Expected { get; set; }

    /// <summary>Waits until the page shows live numbers.</summary>
    public async Task LiveAsync()
    {
        // By locators: the page's policy lets nobody evaluate a text, a test neither.
        await Assertions.Expect(Page.Locator("#link[data-state=live]")).ToBeVisibleAsync();
        await Assertions.Expect(Page.Locator("main h1")).ToBeVisibleAsync();
    }

    /// <summary>Goes to another page of the same dashboard.</summary>
    public async Task GoAsync(string page)
    {
        await Page.Locator($"nav a[data-page={page}]").ClickAsync();
        await Assertions.Expect(Page.Locator($"main[data-page={page}] h1")).ToBeVisibleAsync();
    }

    public ILocator Find(string selector) => Page.Locator(selector);

    /// <summary>Waits until the page's own text is what another source says at the same time.</summary>
    public Task AgreesAsync(string selector, Func<Task<string>> wanted, string what) =>
        Eventually.TrueAsync(async () => (await Page.Locator(selector).First.InnerTextAsync()).Contains(await wanted(), StringComparison.Ordinal), what);

    /// <summary>Writes a picture into the ignored folder beside the sources.</summary>
    public async Task PictureAsync(string name, bool fullPage = true)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        for (var level = 0; level < 8 && directory is not null && !File.Exists(Path.Combine(directory.FullName, "Mesh.Dashboard.Tests.csproj")); level++) directory = directory.Parent;
        if (directory is null) return;
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(directory.FullName, "screenshots", $"{name}.png"), FullPage = fullPage });
    }

    /// <summary>Nothing went wrong, nothing left this host, and the page is no wider than the window.</summary>
    public async Task CleanAsync()
    {
        Assert.Equal(0, await Page.EvaluateAsync<int>("Math.max(0, document.documentElement.scrollWidth - innerWidth)"));
        // Judged here and not as they come: the first may come before the test has said what it expects.
        lock (_wrongs) Assert.DoesNotContain(_wrongs, w => !IsExpected(w));
    }

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();

    private bool IsExpected(string text) => Expected is { } expected && text.Contains(expected, StringComparison.Ordinal);

    private void Note(bool isWrong, string what)
    {
        if (!isWrong) return;
        lock (_wrongs) _wrongs.Add($"{what} ({_home.Authority})");
    }
}
