using System.Reflection;
using Mesh.Core.Config;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Tests.Scheduling;

public sealed class BuiltInProfilesTests
{
    [Fact]
    public void Names_AreThePublicOnes_EachWithItsOwnProfile()
    {
        Assert.Equal(ProfileNames.All, BuiltInProfiles.Names);
        // The cost profile is no list of rules; what stands in for it brings the filters.
        foreach (var name in ProfileNames.All.Where(n => n != ProfileNames.Mesh)) Assert.Equal(name, BuiltInProfiles.Find(name).Name);
        Assert.Equal(ProfileNames.Mesh, ProfileNames.All[0]);
        Assert.Equal(ProfileNames.Mesh, new SchedulingConfig().Profile);
    }

    [Fact]
    public void All_HoldsEveryConstant()
    {
        var constants = typeof(ProfileNames).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!);
        Assert.Equal(constants.Order(), ProfileNames.All.Order());
    }
}
