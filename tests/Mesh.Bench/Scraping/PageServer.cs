using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Bench.Scraping;

/// <summary>
/// A process that serves a busy endpoint's page under <c>/busy</c> and an idle one's under <c>/idle</c>, on a loopback port that it prints.
/// Ends with its standard input.
/// </summary>
internal static class PageServer
{
    public static async Task<int> RunAsync()
    {
        var busy = new VllmPage().Make();
        var idle = new VllmPage { Running = 0, Waiting = 0, KvUtilizationRatio = 0 }.Make();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            var page = context.Request.Path == "/idle" ? idle : busy;
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            context.Response.ContentLength = page.Length;
            await context.Response.Body.WriteAsync(page);
        });
        await app.StartAsync();
        Console.WriteLine(new Uri(app.Urls.Single()).Port.ToString(CultureInfo.InvariantCulture));
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
