using Mesh.Engine.Federation;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;

namespace Mesh.Gateway.Federation.Configuration;

// Where another process speaks for the region: this one goes by what it says.
internal sealed partial class ConfigExchange
{
    private IRegionConfiguration? _regions;
    private bool _following;

    /// <summary>While another process speaks for the region, this one goes by what it says.</summary>
    /// <param name="region">What the region goes by.</param>
    /// <param name="onConflict">Told which two clusters claim to be the config cluster, in words, or null when there is one; null for whoever is told already.</param>
    /// <param name="changed">Called when <see cref="Overlay"/> has changed; on any thread.</param>
    public void Follow(IRegionConfiguration region, Action<string?>? onConflict, Action changed)
    {
        lock (_gate) (_regions, _onConflict, _changed) = (region, onConflict, changed);
        region.Changed += OnRegionChanged;
        OnRegionChanged();
    }

    private void OnRegionChanged()
    {
        lock (_gate)
        {
            if (_following) return;
            _following = true;
        }

        _ = Task.Run(FollowAsync);
    }

    private async Task FollowAsync()
    {
        try
        {
            var region = _regions!;
            Heed(region.HasConflict);
            ConfigTag current;
            lock (_gate) current = _current?.Tag ?? ConfigTag.None;
            if (region.Tag.IsNone || region.Tag == current) return;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(AskLimit);
            if (await region.ReadAsync(limit.Token) is { } bytes) TakeRegions(ConfigBundle.FromJson(bytes));
        }
        catch (Exception e) when (e is InvalidDataException or OperationCanceledException or ObjectDisposedException)
        {
            _log.CannotAsk("the own region", _regions!.Tag.Version, e.Message);
        }
        finally
        {
            lock (_gate) _following = false;
        }
    }

    // What the region goes by has been checked by the process that speaks for it; whether the own clusters' manifests go with it is another question.
    private void TakeRegions(ConfigBundle bundle)
    {
        var isOwn = bundle.Tag.Origin == _region;
        if (!isOwn && ManifestLoader.Load(_manifests, bundle.Files) is var result && (result.HasErrors || result.Config is null))
        {
            if (_refusedHash == bundle.Tag.Hash) return;
            _refusedHash = bundle.Tag.Hash;
            foreach (var finding in result.Diagnostics.Where(d => d.Severity == Severity.Error)) _log.Finding(finding.ToString());
            _log.NotTaken(bundle.Tag.Version, "the own region", _current?.Tag.Version ?? 0);
            return;
        }

        Action? changed;
        lock (_gate)
        {
            if (_hub is not null || bundle.Tag == _current?.Tag) return;
            _current = bundle;
            _refusedHash = "";
            if (!isOwn) _claims.Own = null;
            else if (_claims.Own is not null) _claims.Own = bundle.Tag;
            changed = _changed;
        }

        _file.Write(bundle);
        _log.Taken(bundle.Tag.Version, bundle.Tag.Cluster, "the own region");
        changed?.Invoke();
    }

    private void Heed(bool isConflict)
    {
        Action? changed;
        lock (_gate)
        {
            if (_hub is not null || isConflict == _conflict is not null) return;
            _conflict = isConflict ? "the own region says so" : null;
            if (isConflict) _log.Conflict(_conflict!, _current?.Tag.Version ?? 0);
            else _log.ConflictOver();
            _onConflict?.Invoke(_conflict);
            changed = _changed;
        }

        changed?.Invoke();
    }
}
