using System.Net;

namespace Mesh.Regions.Tests.Support;

/// <summary>Requests at a steady rate, whatever becomes of those before.</summary>
internal static class SteadyLoad
{
    /// <summary>Sends for a while and waits for the answers.</summary>
    /// <param name="gateway">Where to.</param>
    /// <param name="perSecond">Rate.</param>
    /// <param name="time">How long.</param>
    /// <param name="tokens">Tokens of each answer.</param>
    public static async Task<Ended[]> RunAsync(IPEndPoint gateway, int perSecond, TimeSpan time, int tokens)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1000 }) { Timeout = TimeSpan.FromSeconds(60) };
        var target = new Uri($"http://{gateway}/v1/completions");
        var began = TimeProvider.System.GetTimestamp();
        var requests = new List<Task<Ended>>();
        while (TimeProvider.System.GetElapsedTime(began) is var passed && passed < time)
        {
            // Those that are due by now; a timer that comes late makes none of them be left out.
            while (requests.Count < passed.TotalSeconds * perSecond)
            {
                var prompt = $"request {requests.Count} of a steady load";
                requests.Add(Task.Run(() => Load.SendAsync(client, target, prompt, tokens, began, CancellationToken.None)));
            }

            await Task.Delay(5);
        }

        return await Task.WhenAll(requests);
    }
}
