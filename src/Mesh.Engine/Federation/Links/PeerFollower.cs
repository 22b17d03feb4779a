using System.Buffers.Text;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation.Frames;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Federation.Links;

/// <summary>
/// Follows one peer's reports: connects, checks who answers, reads events as they come, and begins anew when the stream ends, breaks or
/// falls silent, at the peer's addresses in turn and after pauses that grow and are never exact. A fresh connection each time: one that has
/// fallen silent may be dead without knowing.
/// </summary>
internal sealed class PeerFollower(
    Peer peer, PeerIdentity self, FederationSettings settings, Func<PeerAddress, HttpMessageInvoker> connect,
    Action<Peer, RegionReport?, TimeSpan?, bool> received, Action<Peer> lost, TimeProvider time, ILogger log)
{
    // A peer that is not the one that was configured will hardly be it a moment later.
    private static readonly TimeSpan RefusedPause = TimeSpan.FromSeconds(2);

    private const int MaxEventBytes = 4 << 20;
    private const int MaxRefusalBytes = 1024;

    private readonly BackOff _backOff = new(settings.FirstPause, settings.LongestPause, settings.Seed ^ (ulong)self.Epoch ^ Hash(peer.Address.Name));
    private ReportSections _sections = ReportSections.Empty;
    private bool _wasGreeted;
    private long _greetedAt;

    /// <summary>Runs until it is cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; !cancellationToken.IsCancellationRequested; attempt++)
        {
            var url = peer.Address.Urls[attempt % peer.Address.Urls.Length];
            var (error, refused) = await FollowAsync(url, cancellationToken).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return;
            if (peer.Lost(error, refused)) FederationLog.Lost(log, peer.Address.Name, url, error);
            lost(peer);
            var pause = _backOff.Next();
            if (refused && pause < RefusedPause) pause = RefusedPause;
            if (await PauseAsync(pause, cancellationToken).ConfigureAwait(false)) _backOff.Reset();
        }
    }

    /// <summary>Waits before the next attempt; true when the peer has greeted, which ends the waiting.</summary>
    private async Task<bool> PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        // Two that greet each other and understand nothing more would else never rest.
        var rest = settings.LongestPause - time.GetElapsedTime(_greetedAt);
        if (_wasGreeted && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest < pause ? rest : pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause -= rest;
        }

        if (pause <= TimeSpan.Zero || cancellationToken.IsCancellationRequested) return false;
        try
        {
            if (!await peer.PauseAsync(pause, cancellationToken).ConfigureAwait(false)) return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        (_wasGreeted, _greetedAt) = (true, time.GetTimestamp());
        return true;
    }

    private async Task<(string Error, bool Refused)> FollowAsync(Uri url, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var limit = new CancellationTokenSource(settings.ConnectTimeout, time);
        using var registration = limit.Token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), ends);
        var isOpen = false;
        peer.BeginFollowing(ends);
        try
        {
            using var invoker = connect(peer.Address);
            using var request = Request(url, FederationPaths.Reports, self);
            using var response = await invoker.SendAsync(request, ends.Token).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK) return await RefusalAsync(response, ends.Token).ConfigureAwait(false);
            var identity = PeerIdentity.Read(name => response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null);
            if (self.Objection(peer.Address, identity) is { } objection) return ($"The gateway at {url} {objection}.", true);
            isOpen = true;
            peer.Connected(url, identity!);
            FederationLog.Connected(log, peer.Address.Name, peer.Address.Region, url, identity!.Version);
            limit.CancelAfter(settings.SilenceLimit);
            await using var stream = await response.Content.ReadAsStreamAsync(ends.Token).ConfigureAwait(false);
            await ReadAsync(stream, limit, ends.Token).ConfigureAwait(false);
            return ("The peer ended the stream of its reports.", false);
        }
        catch (OperationCanceledException)
        {
            if (peer.EndFollowing()) return ("The peer has started anew.", false);
            return (isOpen ? $"No report came for {settings.SilenceLimit.TotalMilliseconds:0} ms." : $"No answer within {settings.ConnectTimeout.TotalMilliseconds:0} ms.", false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException or InvalidOperationException)
        {
            return (Innermost(e), false);
        }
        finally
        {
            peer.EndFollowing();
        }
    }

    private async Task ReadAsync(Stream stream, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        _sections = ReportSections.Empty;
        var events = SseParser.Create(stream, (_, data) => Take(data));
        await foreach (var item in events.EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            _ = item;
            limit.CancelAfter(settings.SilenceLimit);
            _backOff.Reset();
        }
    }

    /// <summary>Takes one event; called while its bytes are there, on the way through the parser.</summary>
    private bool Take(ReadOnlySpan<byte> data)
    {
        if (data.Length > MaxEventBytes) throw new InvalidDataException($"A report is larger than {MaxEventBytes} bytes.");
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(data.Length)];
        if (Base64.DecodeFromUtf8(data, bytes, out _, out var length) != System.Buffers.OperationStatus.Done) throw new InvalidDataException("A report is not base64.");
        var frame = ReportFrame.Read(bytes.AsSpan(0, length), _sections);
        _sections = frame.Sections;
        var (report, roundTrip, isTurn) = peer.Received(frame, data.Length + FederationPaths.EventOverheadBytes, self.Epoch);
        received(peer, report, roundTrip, isTurn);
        return true;
    }

    private static async Task<(string Error, bool Refused)> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxRefusalBytes];
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        var says = Encoding.UTF8.GetString(buffer, 0, length).ReplaceLineEndings(" ").Trim();
        return ($"The peer answered {(int)response.StatusCode}: {(says.Length > 0 ? says : "without a reason")}", (int)response.StatusCode is >= 400 and < 500);
    }

    /// <summary>A request over the link, which says who asks.</summary>
    internal static HttpRequestMessage Request(Uri url, string path, PeerIdentity self)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var (name, value) in self.Headers()) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static string Innermost(Exception e)
    {
        // Bounded: exceptions nest a few levels deep.
        for (var depth = 0; depth < 8 && e.InnerException is { } inner; depth++) e = inner;
        return e.Message;
    }

    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text) hash = (hash ^ c) * 1099511628211UL;
        return hash;
    }
}
